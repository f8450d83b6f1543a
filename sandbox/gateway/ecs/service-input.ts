import { z } from 'zod';
import { AwsError } from '../answer.ts';
import type { Call } from '../request.ts';
import type { LoadBalancerTarget, Service } from './model.ts';
import { contentHash } from '../../../src/naming.ts';

const settings = {
  desiredCount: z.int().min(0).optional(),
  loadBalancers: z
    .array(z.looseObject({ targetGroupArn: z.string(), containerName: z.string(), containerPort: z.int() }))
    .optional(),
  networkConfiguration: z
    .looseObject({ awsvpcConfiguration: z.looseObject({ subnets: z.array(z.string()) }).optional() })
    .optional(),
  volumeConfigurations: z.array(z.looseObject({ name: z.string() })).optional(),
  healthCheckGracePeriodSeconds: z.int().min(0).optional(),
  deploymentConfiguration: z
    .looseObject({
      maximumPercent: z.int().optional(),
      minimumHealthyPercent: z.int().optional(),
      deploymentCircuitBreaker: z.looseObject({ enable: z.boolean(), rollback: z.boolean() }).optional(),
    })
    .optional(),
};

const createInput = z.looseObject({
  cluster: z.string().default('default'),
  serviceName: z.string().min(1),
  taskDefinition: z.string().min(1),
  clientToken: z.string().optional(),
  ...settings,
});

const updateInput = z.looseObject({
  cluster: z.string().default('default'),
  service: z.string().min(1),
  taskDefinition: z.string().min(1).optional(),
  forceNewDeployment: z.boolean().optional(),
  ...settings,
});

const deleteInput = z.looseObject({
  cluster: z.string().default('default'),
  service: z.string().min(1),
  force: z.boolean().nullish(),
});

export type CreateServiceInput = z.infer<typeof createInput>;
export type UpdateServiceInput = z.infer<typeof updateInput>;

export const readCreateService = (call: Call) => readInput(call, createInput);
export const readUpdateService = (call: Call) => readInput(call, updateInput);
export const readDeleteService = (call: Call) => readInput(call, deleteInput);

/** The call's JSON body by this schema. @throws AwsError InvalidParameterException that names the field. */
export function readInput<T>(call: Call, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(readJson(call));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AwsError(
    'InvalidParameterException',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid input'}`,
  );
}

/** The call's body. @throws AwsError SerializationException when it is no JSON. */
export function readJson(call: Call): unknown {
  try {
    return JSON.parse(call.body.toString('utf8') || '{}');
  } catch {
    throw new AwsError('SerializationException', 'the request body is not JSON');
  }
}

/** What makes two creations the same: all settings but the token. */
export function fingerprintOf(input: CreateServiceInput): string {
  const { clientToken: _token, ...rest } = input;
  return contentHash(rest);
}

/** Takes over what an input says of the service; what it leaves out stays. */
export function applySettings(service: Service, input: UpdateServiceInput | CreateServiceInput): void {
  if (input.desiredCount !== undefined) service.desiredCount = input.desiredCount;
  if (input.healthCheckGracePeriodSeconds !== undefined)
    service.gracePeriodSeconds = input.healthCheckGracePeriodSeconds;
  if (input.loadBalancers) service.loadBalancers = input.loadBalancers.map(readTarget);
  const subnets = input.networkConfiguration?.awsvpcConfiguration?.subnets;
  if (subnets) service.subnetIds = subnets;
  const deployment = input.deploymentConfiguration;
  if (deployment?.maximumPercent !== undefined) service.maximumPercent = deployment.maximumPercent;
  if (deployment?.minimumHealthyPercent !== undefined) service.minimumHealthyPercent = deployment.minimumHealthyPercent;
  const breaker = deployment?.deploymentCircuitBreaker;
  if (breaker) service.circuitBreaker = { enable: breaker.enable, rollback: breaker.rollback };
}

function readTarget(lb: { targetGroupArn: string; containerName: string; containerPort: number }): LoadBalancerTarget {
  return { targetGroupArn: lb.targetGroupArn, containerName: lb.containerName, containerPort: lb.containerPort };
}
