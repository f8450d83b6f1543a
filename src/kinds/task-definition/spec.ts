import { z } from 'zod';
import { imageByDigest } from '../../images.ts';
import type { StepContext } from '../framework/kind.ts';
import { anyValue, text, textValue } from '../framework/values.ts';

export const definitionSpec = z.strictObject({
  family: text,
  templateService: text,
  environment: z.record(z.string(), anyValue),
  /** Name of a container's secret to the secret's ARN. */
  secrets: z.record(z.string(), textValue),
  logGroup: textValue,
  /** Of the application's container, in the place of the template's. */
  image: imageByDigest.optional(),
  /** Of the task, in the place of the template's: CPU units, and MiB. */
  cpu: z.int().positive().optional(),
  memory: z.int().positive().optional(),
});
export const definitionOutputs = z.strictObject({
  arn: z.string(),
  templateArn: z.string(),
  containerName: z.string(),
  containerPort: z.number(),
});

export type DefinitionSpec = z.output<typeof definitionSpec>;
export type DefinitionOutputs = z.output<typeof definitionOutputs>;
export type DefinitionContext = StepContext<DefinitionSpec, DefinitionOutputs>;
