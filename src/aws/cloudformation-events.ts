import { DescribeStackEventsCommand, type CloudFormationClient, type StackEvent } from '@aws-sdk/client-cloudformation';
import { isMissingStack } from './cloudformation-request.ts';
import { sent } from './errors.ts';

/** The last operation on a stack, as its events tell it. */
export interface StackOperation {
  /** The token that it was asked for with. */
  readonly token: string | undefined;
  /** What failed in it and why, in the order in which it did: `Table: ... already exists`. */
  readonly failures: readonly string[];
  /** Logical ids of resources that are being made, changed or deleted. */
  readonly inProgress: readonly string[];
}

export interface StackEvents {
  /** Nothing of a stack that is not shown (yet). */
  readLastOperation(id: string): Promise<StackOperation>;
}

/** Stack states by which an operation begins; a rollback belongs to the operation that failed. */
const beginnings: readonly string[] = [
  'CREATE_IN_PROGRESS',
  'UPDATE_IN_PROGRESS',
  'DELETE_IN_PROGRESS',
  'IMPORT_IN_PROGRESS',
];
/** Pages of 100 events: an operation on 200 resources, some times over. */
const MAX_PAGES = 20;

export function createStackEvents(client: CloudFormationClient): StackEvents {
  return {
    async readLastOperation(id) {
      const events: StackEvent[] = [];
      let next: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const { found, following } = await readPage(client, id, next);
        const start = found.findIndex(isBeginning);
        events.push(...(start < 0 ? found : found.slice(0, start + 1)));
        next = following;
        if (start >= 0 || next === undefined) break;
      }
      const token = events.at(-1)?.ClientRequestToken;
      return { token, inProgress: inProgressOf(events), failures: events.reverse().flatMap(failureOf) };
    },
  };
}

async function readPage(client: CloudFormationClient, id: string, NextToken: string | undefined) {
  try {
    const answer = await client.send(new DescribeStackEventsCommand({ StackName: id, NextToken }));
    const call = { service: 'cloudformation', action: 'DescribeStackEvents' };
    return { found: sent(answer.StackEvents, call, 'StackEvents'), following: answer.NextToken };
  } catch (error) {
    if (isMissingStack(error)) return { found: [], following: undefined };
    throw error;
  }
}

function isBeginning({ PhysicalResourceId, ResourceStatus, StackId }: StackEvent): boolean {
  return PhysicalResourceId === StackId && ResourceStatus !== undefined && beginnings.includes(ResourceStatus);
}

/** @param events newest first */
function inProgressOf(events: readonly StackEvent[]): string[] {
  const last = new Map<string, StackEvent>();
  for (const event of events) {
    const { LogicalResourceId = '', PhysicalResourceId, StackId } = event;
    if (PhysicalResourceId !== StackId && !last.has(LogicalResourceId)) last.set(LogicalResourceId, event);
  }
  return [...last].filter(([, { ResourceStatus }]) => ResourceStatus?.endsWith('_IN_PROGRESS')).map(([id]) => id);
}

/** The stack's own events repeat which resources failed; a cancelled one failed for another's sake. */
function failureOf({
  LogicalResourceId = '',
  PhysicalResourceId,
  ResourceStatus,
  ResourceStatusReason = '',
  StackId,
}: StackEvent): string[] {
  const isOwn = PhysicalResourceId === StackId && !/exceeded the specified timeout/.test(ResourceStatusReason);
  if (
    isOwn ||
    !ResourceStatus?.endsWith('_FAILED') ||
    /^Resource (?:creation|update) cancelled/.test(ResourceStatusReason)
  )
    return [];
  return [`${LogicalResourceId}: ${ResourceStatusReason}`];
}
