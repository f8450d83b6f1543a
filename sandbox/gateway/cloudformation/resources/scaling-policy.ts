import { z } from 'zod';
import type { PolicyInput } from '../../scaling/input.ts';
import type { ScalingPolicy } from '../../scaling/model.ts';
import { targetOf } from './scalable-target.ts';
import { asHandler, HandlerError, readProperties, type ResourceCall, type ResourceType } from './type.ts';

const count = z.coerce.number().int().min(0);
const tracking = z.strictObject({
  TargetValue: z.coerce.number(),
  PredefinedMetricSpecification: z
    .strictObject({ PredefinedMetricType: z.string(), ResourceLabel: z.string().optional() })
    .optional(),
  CustomizedMetricSpecification: z.looseObject({}).optional(),
  ScaleInCooldown: count.optional(),
  ScaleOutCooldown: count.optional(),
  DisableScaleIn: z.stringbool().or(z.boolean()).optional(),
});

const shape = z.strictObject({
  PolicyName: z.string().min(1).max(256),
  PolicyType: z.enum(['TargetTrackingScaling', 'StepScaling', 'PredictiveScaling']),
  ScalingTargetId: z.string().optional(),
  ServiceNamespace: z.string().optional(),
  ResourceId: z.string().optional(),
  ScalableDimension: z.string().optional(),
  TargetTrackingScalingPolicyConfiguration: tracking.optional(),
});

/** `AWS::ApplicationAutoScaling::ScalingPolicy`, of target tracking. */
export const scalingPolicy: ResourceType = {
  known: Object.keys(shape.shape),
  replacing: ['PolicyName', 'ScalingTargetId', 'ServiceNamespace', 'ResourceId', 'ScalableDimension'],
  isTagged: false,
  async create(call) {
    const { clients, scaling } = call;
    const input = inputOf(call);
    // PutScalingPolicy would write over one that is there.
    if (scaling.policy(clients.scope, input, input.PolicyName))
      throw new HandlerError(
        'AlreadyExists',
        `The scaling policy ${input.PolicyName} of ${input.ResourceId} already exists`,
      );
    return made(await asHandler(() => scaling.putPolicy(clients.scope, input)));
  },
  async update(call) {
    const { clients, physicalId, scaling } = call;
    const input = inputOf(call);
    if (!scaling.policy(clients.scope, input, input.PolicyName))
      throw new HandlerError('NotFound', `${physicalId} was not found`);
    return made(await asHandler(() => scaling.putPolicy(clients.scope, input)));
  },
  remove({ clients, physicalId, scaling }) {
    const policy = scaling.policies(clients.scope).find((one) => policyId(one) === physicalId);
    if (policy) scaling.deletePolicy(clients.scope, policy.key, policy.name);
    return Promise.resolve();
  },
};

function inputOf(call: ResourceCall): PolicyInput {
  const { ScalingTargetId, ...input } = readProperties(shape, call);
  const { ServiceNamespace, ResourceId, ScalableDimension } = {
    ...input,
    ...(ScalingTargetId && targetOf(ScalingTargetId)),
  };
  if (ServiceNamespace === undefined || ResourceId === undefined || ScalableDimension === undefined)
    throw new HandlerError(
      'InvalidRequest',
      'Either ScalingTargetId or all three of [ResourceId, ScalableDimension, ServiceNamespace] must be specified',
    );
  return { ...input, ServiceNamespace, ResourceId, ScalableDimension };
}

function made(policy: ScalingPolicy) {
  return { physicalId: policyId(policy), attributes: { Arn: policy.arn } };
}

/** What `Ref` answers: the registry knows a policy by both. */
function policyId({ arn, key }: ScalingPolicy): string {
  return `${arn}|${key.ScalableDimension}`;
}
