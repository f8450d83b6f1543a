import { escapeXml, queryAnswer } from '../answer.ts';
import type { Answer, Call } from '../request.ts';
import type { ChangeSet, Stack, StackEvent, StackResource, Tags } from './model.ts';

type Node = string | number | boolean | Date | undefined | readonly Node[] | { readonly [name: string]: Node };

/** An answer of CloudFormation's query protocol; lists have a `member` for each element. */
export function stackAnswer(call: Call, result: Readonly<Record<string, Node>> = {}): Answer {
  return queryAnswer(call, xmlOf(result), 'http://cloudformation.amazonaws.com/doc/2010-05-15/');
}

function xmlOf(node: Node): string {
  if (node === undefined) return '';
  if (node instanceof Date) return node.toISOString();
  if (typeof node !== 'object') return escapeXml(String(node));
  if (isList(node)) return node.map((one) => `<member>${xmlOf(one)}</member>`).join('');
  return Object.entries(node)
    .map(([name, inner]) => (inner === undefined ? '' : `<${name}>${xmlOf(inner)}</${name}>`))
    .join('');
}

function isList(node: object): node is readonly Node[] {
  return Array.isArray(node);
}

export function stackView(stack: Stack): Node {
  const { wish } = stack;
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: wish.template.Description,
    Parameters: Object.entries(wish.parameters).map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: isSecret(wish.template.Parameters[ParameterKey]?.NoEcho) ? '****' : value,
    })),
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    DisableRollback: stack.onFailure === 'DO_NOTHING',
    TimeoutInMinutes: stack.timeoutMinutes,
    Capabilities: wish.capabilities,
    Outputs: stack.outputs.map(({ key, value, description }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
    })),
    RoleARN: wish.roleArn,
    Tags: tagList(wish.tags),
    EnableTerminationProtection: stack.terminationProtection,
  };
}

function isSecret(noEcho: string | boolean | undefined): boolean {
  return noEcho === true || noEcho === 'true';
}

export function summaryView(stack: Stack): Node {
  return {
    StackId: stack.id,
    StackName: stack.name,
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
  };
}

export function eventView({ id: StackId, name: StackName }: Stack, event: StackEvent): Node {
  return {
    StackId,
    StackName,
    EventId: event.id,
    LogicalResourceId: event.logicalId,
    PhysicalResourceId: event.physicalId,
    ResourceType: event.type,
    Timestamp: event.at,
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason,
    ClientRequestToken: event.token,
  };
}

export function resourceView({ id: StackId, name: StackName }: Stack, resource: StackResource): Node {
  return { StackId, StackName, Timestamp: resource.updatedAt, ...summaryOf(resource) };
}

/** Names no stack. Source: API reference, StackResourceSummary. */
export function resourceSummaryView(resource: StackResource): Node {
  return summaryOf(resource);
}

function summaryOf(resource: StackResource) {
  return {
    LogicalResourceId: resource.logicalId,
    PhysicalResourceId: resource.physicalId,
    ResourceType: resource.type,
    LastUpdatedTimestamp: resource.updatedAt,
    ResourceStatus: resource.status,
    ResourceStatusReason: resource.reason,
  };
}

export function changeSetView({ id: StackId, name: StackName }: Stack, set: ChangeSet): Record<string, Node> {
  return {
    ChangeSetName: set.name,
    ChangeSetId: set.id,
    StackId,
    StackName,
    Description: set.description,
    CreationTime: set.createdAt,
    ExecutionStatus: set.execution,
    Status: set.status,
    StatusReason: set.reason,
  };
}

export function changeView(change: ChangeSet['changes'][number]): Node {
  const { action, changesTags, logicalId, physicalId, properties, replacement, type } = change;
  const details = properties.map(({ name, recreates }) => ({
    Target: { Attribute: 'Properties', Name: name, RequiresRecreation: recreates },
    Evaluation: recreates === 'Conditionally' ? 'Dynamic' : 'Static',
    ChangeSource: 'DirectModification',
  }));
  const tags = { Target: { Attribute: 'Tags', RequiresRecreation: 'Never' }, Evaluation: 'Static' };
  return {
    Type: 'Resource',
    ResourceChange: {
      Action: action,
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      Replacement: replacement,
      Scope: [...(properties.length > 0 ? ['Properties'] : []), ...(changesTags ? ['Tags'] : [])],
      Details: [...details, ...(changesTags ? [tags] : [])],
    },
  };
}

export function tagList(tags: Tags): Node {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
