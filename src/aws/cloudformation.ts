import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  UpdateTerminationProtectionCommand,
  type CloudFormationClient,
  type Stack as RawStack,
} from '@aws-sdk/client-cloudformation';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createChangeSets, type ChangeSets } from './cloudformation-changes.ts';
import { createStackEvents, type StackEvents } from './cloudformation-events.ts';
import { isMissingStack, retryableIfPassing, stackRequest, type StackInput } from './cloudformation-request.ts';
import { createTableProtection, type TableProtection } from './dynamodb-protection.ts';
import { sent } from './errors.ts';
import { tagsOf, type Tags } from './tags.ts';
import { isTable, type StackResource } from './stack-resources.ts';

export type { StackInput, StackTemplate } from './cloudformation-request.ts';

/** A stack that is not deleted. */
export interface Stack {
  /** ARN: no other stack ever has it, whatever its name. */
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly createdAt: Date | undefined;
  /** When it was changed last; undefined: never. */
  readonly updatedAt: Date | undefined;
  readonly tags: Tags;
  /** Values of parameters that the template hides are `****`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean;
}

export interface NewStack extends StackInput {
  readonly name: string;
  readonly token: string;
  readonly terminationProtection: boolean;
  /** After so many minutes AWS lets the creation fail. */
  readonly timeoutMinutes: number;
}

/** CloudFormation: stacks, by their names and ids. */
export interface Stacks extends StackEvents, ChangeSets, TableProtection {
  /** Undefined when there is none, or it is deleted. */
  findStack(nameOrId: string): Promise<Stack | undefined>;
  /** What fails is kept for diagnosis. Answers its id. @throws StepError CONFLICT_RETRYABLE when the name was taken meanwhile */
  createStack(stack: NewStack): Promise<string>;
  /** Missing is done. @throws StepError CONFLICT_RETRYABLE while it is being changed */
  setTerminationProtection(id: string, isOn: boolean): Promise<void>;
  /** Asks for its deletion; missing is done. @throws StepError CONFLICT_RETRYABLE while it is being changed */
  deleteStack(id: string, token: string): Promise<void>;
  /** As it was sent, short forms and comments included. */
  readTemplate(id: string): Promise<string>;
  /** Physical ids of its tables of DynamoDB. */
  listTables(id: string): Promise<string[]>;
  /** What it holds, without what it has deleted. */
  listResources(id: string): Promise<StackResource[]>;
}

const service = 'cloudformation';

export function createStacks(client: CloudFormationClient, dynamodb: DynamoDBClient, region: string): Stacks {
  return {
    ...createStackEvents(client),
    ...createChangeSets(client, region),
    ...createTableProtection(dynamodb),

    async findStack(nameOrId) {
      try {
        const answer = await client.send(new DescribeStacksCommand({ StackName: nameOrId }));
        const [found] = sent(answer.Stacks, call('DescribeStacks'), 'Stacks');
        const stack = toStack(sent(found, call('DescribeStacks'), 'Stacks[0]'));
        return stack.status === 'DELETE_COMPLETE' ? undefined : stack;
      } catch (error) {
        if (isMissingStack(error)) return undefined;
        throw error;
      }
    },

    async createStack({ name, token, terminationProtection, timeoutMinutes, ...input }) {
      const answer = await client.send(
        new CreateStackCommand({
          ...stackRequest(input, region),
          StackName: name,
          ClientRequestToken: token,
          EnableTerminationProtection: terminationProtection,
          TimeoutInMinutes: timeoutMinutes,
          OnFailure: 'DO_NOTHING',
        }),
      );
      return sent(answer.StackId, call('CreateStack'), 'StackId');
    },

    async setTerminationProtection(id, isOn) {
      const change = { StackName: id, EnableTerminationProtection: isOn };
      await unlessMissing(() => client.send(new UpdateTerminationProtectionCommand(change)));
    },

    async deleteStack(id, token) {
      await unlessMissing(() => client.send(new DeleteStackCommand({ StackName: id, ClientRequestToken: token })));
    },

    async readTemplate(id) {
      const answer = await client.send(new GetTemplateCommand({ StackName: id, TemplateStage: 'Original' }));
      return sent(answer.TemplateBody, call('GetTemplate'), 'TemplateBody');
    },

    listResources: (id) => listResources(client, id),

    async listTables(id) {
      return (await listResources(client, id)).filter(isTable).map(({ physicalId }) => physicalId);
    },
  };
}

/** All pages: a stack has up to 500. */
async function listResources(client: CloudFormationClient, StackName: string): Promise<StackResource[]> {
  const found: StackResource[] = [];
  for (let NextToken: string | undefined; ;) {
    const page = await client.send(new ListStackResourcesCommand({ StackName, NextToken }));
    const summaries = sent(page.StackResourceSummaries, call('ListStackResources'), 'StackResourceSummaries');
    for (const { PhysicalResourceId: physicalId, ResourceType: type, ResourceStatus } of summaries)
      if (physicalId && type && ResourceStatus !== 'DELETE_COMPLETE') found.push({ type, physicalId });
    NextToken = page.NextToken;
    if (NextToken === undefined) return found;
  }
}

/** Of a stack that is gone, nothing is to do. @throws StepError */
async function unlessMissing(send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (!isMissingStack(error)) throw retryableIfPassing(error);
  }
}

export function toStack(raw: RawStack): Stack {
  const of = call('DescribeStacks');
  return {
    id: sent(raw.StackId, of, 'StackId'),
    name: sent(raw.StackName, of, 'StackName'),
    status: sent(raw.StackStatus, of, 'StackStatus'),
    reason: raw.StackStatusReason,
    createdAt: raw.CreationTime,
    updatedAt: raw.LastUpdatedTime,
    tags: tagsOf(raw.Tags),
    parameters: Object.fromEntries(
      (raw.Parameters ?? []).map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue]),
    ),
    outputs: Object.fromEntries(
      (raw.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    ),
    terminationProtection: raw.EnableTerminationProtection === true,
  };
}

function call(action: string) {
  return { service, action };
}
