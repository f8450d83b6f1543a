import { z } from 'zod';

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
