import {
  CreateChangeSetCommand,
  DescribeChangeSetCommand,
  ExecuteChangeSetCommand,
  type Change,
  type CloudFormationClient,
} from '@aws-sdk/client-cloudformation';
import { retryableIfPassing, stackRequest, type StackInput } from './cloudformation-request.ts';
import { isAwsError, sent } from './errors.ts';

/** What a change set does to one resource. */
export interface ResourceChange {
  readonly logicalId: string;
  /** `AWS::DynamoDB::Table` */
  readonly type: string;
  /** `Add`, `Modify`, `Remove`, `Dynamic` (known at its execution only), ... */
  readonly action: string;
  /** `Conditional`: known at its execution only. */
  readonly replacement: string | undefined;
}

export interface ChangeSet {
  /** `CREATE_COMPLETE`: computed; `FAILED`: `reason` says why. */
  readonly status: string;
  readonly reason: string | undefined;
  /** `AVAILABLE`: it can be executed. */
  readonly execution: string;
  readonly changes: readonly ResourceChange[];
}

/** A change set by the id of its stack and its own name. */
export interface ChangeSetName {
  readonly stackId: string;
  readonly name: string;
}

export interface ChangeSets {
  findChangeSet(of: ChangeSetName): Promise<ChangeSet | undefined>;
  /** The same token makes it once. @throws StepError CONFLICT_RETRYABLE while the stack is being changed */
  createChangeSet(of: ChangeSetName, input: StackInput, token: string): Promise<void>;
  executeChangeSet(of: ChangeSetName, token: string): Promise<void>;
}

const service = 'cloudformation';

export function createChangeSets(client: CloudFormationClient, region: string): ChangeSets {
  return {
    async findChangeSet(of) {
      try {
        return await readChangeSet(client, of);
      } catch (error) {
        if (isAwsError(error, 'ChangeSetNotFoundException')) return undefined;
        throw error;
      }
    },

    async createChangeSet({ stackId, name }, input, token) {
      try {
        await client.send(
          new CreateChangeSetCommand({
            ...stackRequest(input, region),
            ...{ StackName: stackId, ChangeSetName: name, ChangeSetType: 'UPDATE', ClientToken: token },
          }),
        );
      } catch (error) {
        throw retryableIfPassing(error);
      }
    },

    async executeChangeSet({ stackId, name }, token) {
      try {
        await client.send(
          new ExecuteChangeSetCommand({ StackName: stackId, ChangeSetName: name, ClientRequestToken: token }),
        );
      } catch (error) {
        throw retryableIfPassing(error);
      }
    },
  };
}

async function readChangeSet(client: CloudFormationClient, { stackId, name }: ChangeSetName): Promise<ChangeSet> {
  const call = { service, action: 'DescribeChangeSet' };
  const changes: ResourceChange[] = [];
  for (let next: string | undefined; ;) {
    const answer = await client.send(
      new DescribeChangeSetCommand({ StackName: stackId, ChangeSetName: name, NextToken: next }),
    );
    changes.push(...(answer.Changes ?? []).map(toChange));
    next = answer.NextToken;
    if (next !== undefined) continue;
    return {
      status: sent(answer.Status, call, 'Status'),
      reason: answer.StatusReason,
      execution: sent(answer.ExecutionStatus, call, 'ExecutionStatus'),
      changes,
    };
  }
}

function toChange({ ResourceChange: change = {} }: Change): ResourceChange {
  return {
    logicalId: change.LogicalResourceId ?? '',
    type: change.ResourceType ?? '',
    action: change.Action ?? '',
    replacement: change.Replacement,
  };
}
