import { z } from 'zod';
import { AwsError } from '../answer.ts';
import { readJson } from '../ecs/service-input.ts';
import type { Call } from '../request.ts';

/** Source of the lists and of all lengths: Application Auto Scaling's API reference, 2016-02-06. */
const namespaces = [
  ...['ecs', 'elasticmapreduce', 'ec2', 'appstream', 'dynamodb', 'rds', 'sagemaker', 'custom-resource', 'comprehend'],
  ...['lambda', 'cassandra', 'kafka', 'elasticache', 'neptune', 'workspaces'],
];
const units = ['ReadCapacityUnits', 'WriteCapacityUnits'];
const dimensions = [
  ...['ecs:service:DesiredCount', 'ec2:spot-fleet-request:TargetCapacity', 'appstream:fleet:DesiredCapacity'],
  ...['elasticmapreduce:instancegroup:InstanceCount', 'rds:cluster:ReadReplicaCount'],
  ...units.flatMap((unit) => [`dynamodb:table:${unit}`, `dynamodb:index:${unit}`, `cassandra:table:${unit}`]),
  ...['DesiredInstanceCount', 'DesiredProvisionedConcurrency'].map((what) => `sagemaker:variant:${what}`),
  ...['custom-resource:ResourceType:Property', 'sagemaker:inference-component:DesiredCopyCount'],
  ...['document-classifier', 'entity-recognizer'].map((kind) => `comprehend:${kind}-endpoint:DesiredInferenceUnits`),
  ...['lambda:function:ProvisionedConcurrency', 'kafka:broker-storage:VolumeSize', 'neptune:cluster:ReadReplicaCount'],
  ...['cache-cluster:Nodes', 'replication-group:NodeGroups', 'replication-group:Replicas'].map(
    (what) => `elasticache:${what}`,
  ),
  'workspaces:workspacespool:DesiredUserSessions',
];

const namespace = z.enum(namespaces);
const dimension = z.enum(dimensions);
const resourceId = z.string().min(1).max(1_600);
const targetKey = { ServiceNamespace: namespace, ResourceId: resourceId, ScalableDimension: dimension };
// \p{Print} of Java: what can be seen, and the space.
const policyName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\x20-\x7e]+$/);

export const keyInput = z.looseObject(targetKey);

const suspended = z.boolean().default(false);
const suspendedState = z.object({
  ...{ DynamicScalingInSuspended: suspended, DynamicScalingOutSuspended: suspended },
  ScheduledScalingSuspended: suspended,
});
const tags = z.record(z.string().min(1).max(128), z.string().max(256));

export const registerInput = z.looseObject({
  ...targetKey,
  MinCapacity: z.int().optional(),
  MaxCapacity: z.int().optional(),
  SuspendedState: suspendedState.optional(),
  Tags: tags.optional(),
});

export const trackingInput = z.looseObject({
  TargetValue: z.number(),
  PredefinedMetricSpecification: z
    .looseObject({ PredefinedMetricType: z.string(), ResourceLabel: z.string().min(1).max(1_023).optional() })
    .optional(),
  CustomizedMetricSpecification: z.looseObject({}).optional(),
  ScaleOutCooldown: z.int().min(0).optional(),
  ScaleInCooldown: z.int().min(0).optional(),
  DisableScaleIn: z.boolean().optional(),
});

export const policyInput = z.looseObject({
  ...targetKey,
  PolicyName: policyName,
  PolicyType: z.enum(['StepScaling', 'TargetTrackingScaling', 'PredictiveScaling']).optional(),
  TargetTrackingScalingPolicyConfiguration: trackingInput.optional(),
});

export const policyKeyInput = z.looseObject({ ...targetKey, PolicyName: policyName });

const pageInput = { MaxResults: z.int().optional(), NextToken: z.string().optional() };
const optionalDimension = { ServiceNamespace: namespace, ScalableDimension: dimension.optional() };
export const describeTargetsInput = z.looseObject({
  ...{ ...optionalDimension, ...pageInput },
  ResourceIds: z.array(resourceId).max(50).optional(),
});
/** Of policies, and of activities. */
export const describePoliciesInput = z.looseObject({
  ...{ ...optionalDimension, ...pageInput },
  ResourceId: resourceId.optional(),
  PolicyNames: z.array(z.string()).max(50).optional(),
});

export const tagInput = z.looseObject({ ResourceARN: z.string(), Tags: tags });
export const untagInput = z.looseObject({ ResourceARN: z.string(), TagKeys: z.array(z.string()).max(200) });
export const listTagsInput = z.looseObject({ ResourceARN: z.string() });

export type RegisterInput = z.infer<typeof registerInput>;
export type PolicyInput = z.infer<typeof policyInput>;

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** A call's body. @throws AwsError ValidationException that names the member */
export function read<T>(call: Call, schema: z.ZodType<T>): T {
  const body = readJson(call);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`1 validation error detected: ${issue ? constraintOf(issue, body) : 'the request cannot be read'}`);
}

/** As AWS words it: `Value 'x' at 'serviceNamespace' failed to satisfy constraint: ...`. */
function constraintOf({ code, message, path, ...issue }: z.core.$ZodIssue, body: unknown): string {
  const member = path.map((part, at) => (at === 0 ? lowerFirst(String(part)) : String(part))).join('.');
  const value = path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? new Map(Object.entries(at)).get(String(part)) : undefined),
    body,
  );
  const where = `Value ${value === undefined ? 'null' : `'${JSON.stringify(value).replace(/^"|"$/g, '')}'`} at '${member}'`;
  if (value === undefined) return `${where} failed to satisfy constraint: Member must not be null`;
  const set =
    code === 'invalid_value' && 'values' in issue
      ? `Member must satisfy enum value set: [${issue.values.join(', ')}]`
      : message;
  return `${where} failed to satisfy constraint: ${set}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
