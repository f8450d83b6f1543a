import { z } from 'zod';
import type { TargetKey } from '../../scaling/model.ts';
import { asHandler, HandlerError, readProperties, type ResourceCall, type ResourceType } from './type.ts';

const truth = z.stringbool().or(z.boolean()).default(false);
const shape = z.strictObject({
  ServiceNamespace: z.string(),
  ResourceId: z.string(),
  ScalableDimension: z.string(),
  MinCapacity: z.coerce.number().int(),
  MaxCapacity: z.coerce.number().int(),
  RoleARN: z.string().optional(),
  SuspendedState: z
    .strictObject({
      ...{ DynamicScalingInSuspended: truth, DynamicScalingOutSuspended: truth, ScheduledScalingSuspended: truth },
    })
    .optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
});

/** `AWS::ApplicationAutoScaling::ScalableTarget`. The sandbox has no scheduled actions. */
export const scalableTarget: ResourceType = {
  known: Object.keys(shape.shape),
  replacing: ['ServiceNamespace', 'ResourceId', 'ScalableDimension'],
  isTagged: true,
  async create(call) {
    const { clients, scaling } = call;
    const { input, tags } = inputOf(call);
    const id = targetId(input);
    // RegisterScalableTarget would take over one that is there.
    if (scaling.target(clients.scope, input)) throw new HandlerError('AlreadyExists', `${id} already exists`);
    await asHandler(() => scaling.register(clients.scope, { ...input, Tags: tags }));
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(call) {
    const { clients, physicalId, scaling } = call;
    const { input, tags } = inputOf(call);
    if (!scaling.target(clients.scope, input)) throw new HandlerError('NotFound', `${physicalId} was not found`);
    const target = await asHandler(() => scaling.register(clients.scope, input));
    target.tags = tags;
    return { physicalId, attributes: { Id: physicalId } };
  },
  remove({ clients, physicalId, scaling }) {
    const key = targetOf(physicalId);
    if (scaling.target(clients.scope, key)) scaling.deregister(clients.scope, key);
    return Promise.resolve();
  },
};

function inputOf(call: ResourceCall) {
  const { Tags = [], RoleARN: _role, ...input } = readProperties(shape, call);
  // CloudFormation's own tags are not on a target (its registry: cloudFormationSystemTags false).
  const ofStack = Object.entries(call.tags).filter(([name]) => !name.startsWith('aws:'));
  return { input, tags: Object.fromEntries([...ofStack, ...Tags.map(({ Key, Value }) => [Key, Value] as const)]) };
}

/** What `Ref` answers. */
function targetId({ ResourceId, ScalableDimension, ServiceNamespace }: TargetKey): string {
  return [ResourceId, ScalableDimension, ServiceNamespace].join('|');
}

export function targetOf(id: string): TargetKey {
  const [ResourceId = '', ScalableDimension = '', ServiceNamespace = ''] = id.split('|');
  return { ResourceId, ScalableDimension, ServiceNamespace };
}
