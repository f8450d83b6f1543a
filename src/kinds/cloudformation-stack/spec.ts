import { z } from 'zod';
import type { Outputs } from '../../contracts/kinds.ts';
import type { Stack, StackInput } from '../../aws/cloudformation.ts';
import { contentHash } from '../../naming.ts';
import type { Found } from '../framework/define-kind.ts';
import type { StepContext } from '../framework/kind.ts';
import { anyValue, text } from '../framework/values.ts';

/** A spec has 4 KiB: a longer template is read from S3, in bytes. */
const MAX_BODY_BYTES = 3_000;

const body = text.refine((given) => Buffer.byteLength(given) <= MAX_BODY_BYTES, {
  error: `is longer than ${MAX_BODY_BYTES} bytes: put it into a bucket, and name bucket, key and version`,
});

export const stackSpec = z.strictObject({
  /** `app-prod-account`: the tenant's id after it makes the stack's name. */
  prefix: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,90}$/, 'must be letters, digits and hyphens, 1 to 91, a letter first'),
  /** `version`: of a bucket with versions; absent: what the key holds at each look, so that another object there is drift. */
  template: z.union([z.strictObject({ body }), z.strictObject({ bucket: text, key: text, version: text.optional() })]),
  parameters: z.record(z.string().regex(/^[A-Za-z0-9]+$/), anyValue),
  capabilities: z.array(z.enum(['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'])),
  /** On the stack and its resources, beside the tenant's mark. */
  tags: z.record(
    text.refine((key) => !/^(aws|tenantry):/i.test(key), 'begins with aws: or tenantry:'),
    z.string(),
  ),
  /** Makes the resources; absent: the worker's own role does. */
  roleArn: text.optional(),
  /** The stack is protected until it is removed. */
  terminationProtection: z.boolean(),
  /** The deletion protection of its tables is lifted when it is removed; else the removal ends at a protected one. */
  liftsTableProtection: z.boolean(),
  /** After so many minutes the creation fails. */
  timeoutMinutes: z.int().min(1).max(25),
});

/** `stackId`, and the stack's own outputs by their names. */
export const stackOutputs = z.record(z.string(), z.string());

export type StackSpec = z.infer<typeof stackSpec>;
export type StackOutputs = Outputs & z.infer<typeof stackOutputs>;
export type StackContext = StepContext<StackSpec, StackOutputs>;
/** A stack as a look by its name shows it. */
export type FoundStack = Found & Stack;

/** Which spec a stack was made by, or changed to: AWS takes it back with an update that fails. */
export const SPEC_TAG = 'tenantry:spec';

/** Says to whoever removes the stack, the sweep too, that the protection of its tables may go with it. */
const LIFT_TAG = 'tenantry:lifts-table-protection';

export function liftsTableProtection({ tags }: Pick<Stack, 'tags'>): boolean {
  return tags[LIFT_TAG] === 'yes';
}

/** What the spec asks CloudFormation for. @param mark tags of ownership: those of what is there already stay */
export function stackInput({ spec }: Pick<StackContext, 'spec'>, mark: StackInput['tags']): StackInput {
  return {
    ...{ template: spec.template, capabilities: spec.capabilities, roleArn: spec.roleArn },
    parameters: parametersOf(spec),
    tags: { ...spec.tags, ...mark, ...specTags(spec) },
  };
}

export function parametersOf({ parameters }: StackContext['spec']): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
}

/** Tags that say what the stack was made by. */
export function specTags(spec: StackContext['spec']): Record<string, string> {
  return { [SPEC_TAG]: specMark(spec), [LIFT_TAG]: spec.liftsTableProtection ? 'yes' : 'no' };
}

/** Of all that a change set brings to the stack: also what no look shows, such as hidden parameters. */
function specMark({ capabilities, parameters, roleArn, tags, template }: StackContext['spec']): string {
  return contentHash({ capabilities, parameters, roleArn: roleArn ?? null, tags, template }).slice(0, 32);
}
