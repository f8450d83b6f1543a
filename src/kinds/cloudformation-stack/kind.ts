import { StepError } from '../../contracts/step-error.ts';
import { stackName } from '../../naming.ts';
import { defineKind } from '../framework/define-kind.ts';
import { changeStack } from './change.ts';
import { dumpTables } from './dump.ts';
import { settingDifferences, stackDifferences } from './differences.ts';
import { liftProtection, removalStatus, removeStack } from './removal.ts';
import { stackInput, stackOutputs, stackSpec, type FoundStack, type StackContext, type StackOutputs } from './spec.ts';
import { isOwnToken, stackStatus, stackToken, stateOf } from './state.ts';
import { stackType } from './type.ts';

const minutes = (count: number) => count * 60_000;

/** A stack of CloudFormation, of any template (requirements R-CFN-*, U-29). */
export const cloudformationStack = defineKind({
  name: 'cloudformation-stack',
  type: 'cloudformation:stack',
  noun: 'stack',
  swept: stackType,
  // Any template may hold a tenant's data.
  holdsData: true,
  changeable: ['template', 'parameters', 'capabilities', 'tags', 'roleArn', 'liftsTableProtection', 'timeoutMinutes'],
  spec: stackSpec,
  outputs: stackOutputs,
  // Its name is made of the tenant's id; what its template may make is the matter of its role.
  inCell: () => [],
  permissions: [
    'cloudformation:DescribeStacks',
    'cloudformation:DescribeStackEvents',
    'cloudformation:ListStackResources',
    'cloudformation:GetTemplate',
    'cloudformation:CreateStack',
    'cloudformation:TagResource',
    'cloudformation:CreateChangeSet',
    'cloudformation:DescribeChangeSet',
    'cloudformation:ExecuteChangeSet',
    'cloudformation:UpdateTerminationProtection',
    'cloudformation:DeleteStack',
    'dynamodb:DescribeTable',
    'dynamodb:ListTagsOfResource',
    'dynamodb:Scan',
    'dynamodb:UpdateTable',
    'iam:PassRole',
    's3:GetObject',
    's3:GetObjectVersion',
  ],
  calls: {
    ensure: [
      'cloudformation:CreateStack',
      'cloudformation:TagResource',
      'cloudformation:CreateChangeSet',
      'cloudformation:ExecuteChangeSet',
      'cloudformation:UpdateTerminationProtection',
      'cloudformation:DeleteStack',
    ],
    remove: ['cloudformation:UpdateTerminationProtection', 'dynamodb:UpdateTable', 'cloudformation:DeleteStack'],
  },
  // An earlier stack that failed is deleted first, and a change set computed: minutes, at AWS.
  limits: {
    ensure: { maximumAttempts: 14 },
    // A dump of its tables takes as long as it takes; heartbeats show that the worker lives.
    remove: { startToCloseMs: 6 * 60 * 60_000, heartbeatMs: 10_000 },
  },
  profiles: () => ({
    ready: { usualMs: minutes(1), deadlineMs: minutes(30) },
    gone: { usualMs: minutes(1), deadlineMs: minutes(20) },
  }),
  errors: { retryable: ['AlreadyExists', 'ChangeSetNotFound', 'InvalidChangeSetStatus', 'OperationInProgress'] },
  namedBy: ({ prefix }) => prefix,
  nameOf: ({ spec, tenant }) => stackName(spec.prefix, tenant.id),

  /** What is being deleted is no use any more; a removal waits for it. */
  async find({ aws, removingAt }, name): Promise<FoundStack | undefined> {
    const found = await aws.stacks.findStack(name);
    if (!found || (removingAt === undefined && stateOf(found) === 'going')) return undefined;
    return { ...found, physicalId: found.id };
  },

  async create(context, name): Promise<FoundStack> {
    const { aws, previous, spec, tags } = context;
    const { terminationProtection, timeoutMinutes } = spec;
    const input = stackInput(context, tags);
    // One that was made by this step and is gone had the token of the one before it.
    const token = stackToken(context, 'create', previous['stackId'] ?? '');
    const id = await aws.stacks.createStack({ ...input, name, token, terminationProtection, timeoutMinutes });
    return {
      ...{ id, physicalId: id, name, status: 'CREATE_IN_PROGRESS', reason: undefined, tags: input.tags },
      ...{ parameters: input.parameters, outputs: {}, terminationProtection },
      ...{ createdAt: undefined, updatedAt: undefined },
    };
  },

  async converge(context, found) {
    const { aws, spec } = context;
    const state = stateOf(found);
    if (state === 'never made') return deleteFailed(context, found);
    if (state !== 'stable') return;
    if (spec.terminationProtection && !found.terminationProtection)
      await aws.stacks.setTerminationProtection(found.id, true);
    if ((await settingDifferences(context, found)).length === 0 || (await hasFailed(context, found))) return;
    await changeStack(context, found);
  },

  status: stackStatus,
  differs: stackDifferences,
  outputsOf: (_, { id, outputs }): StackOutputs => ({ ...outputs, stackId: id }),
  outputsWhenReady: true,
  dump: dumpTables,
  dumpsOnly: 'rows of its DynamoDB tables',
  idIn: ({ stackId }) => stackId,
  remove: removeStack,
  removalStatus,
});

/** Whether this generation's change was rolled back: `status` tells why, and only another generation tries it again. */
async function hasFailed(context: StackContext, { id, status }: FoundStack): Promise<boolean> {
  if (status !== 'UPDATE_ROLLBACK_COMPLETE') return false;
  return isOwnToken(context, 'change', (await context.aws.stacks.readLastOperation(id)).token);
}

/**
 * AWS makes no stack of the name before the one that failed is deleted. It never was ready, so nothing was written to what it made.
 * @throws StepError CONFLICT_RETRYABLE until it is gone; nothing when it failed in this generation: `status` tells why
 */
async function deleteFailed(context: StackContext, found: FoundStack): Promise<void> {
  const { stacks } = context.aws;
  const { id, name, status } = found;
  if (isOwnToken(context, 'create', (await stacks.readLastOperation(id)).token)) return;
  await liftProtection(stacks, found);
  await stacks.deleteStack(id, stackToken(context, 'create', `delete ${id}`));
  throw new StepError('CONFLICT_RETRYABLE', `an earlier stack "${name}" of this tenant, ${status}, is deleted first`);
}
