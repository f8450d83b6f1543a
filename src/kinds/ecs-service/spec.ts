import { z } from 'zod';
import type { StepContext } from '../framework/kind.ts';
import { numberValue, path, text, textValue } from '../framework/values.ts';

export const serviceSpec = z.strictObject({
  serviceName: text,
  taskDefinitionArn: textValue,
  targetGroupArn: textValue,
  containerName: textValue,
  containerPort: numberValue,
  desiredCount: z.int().min(0),
  healthCheckGraceSeconds: z.int().min(0),
  probe: z.strictObject({ loadBalancerArn: text, host: text, path }),
});
export const serviceOutputs = z.strictObject({ arn: z.string(), name: z.string() });

export type ServiceSpec = z.output<typeof serviceSpec>;
export type ServiceOutputs = z.output<typeof serviceOutputs>;
export type ServiceContext = StepContext<ServiceSpec, ServiceOutputs>;
