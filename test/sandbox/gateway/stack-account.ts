import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type CreateStackCommandInput,
  type Stack,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import type { Account } from './sandbox-aws.ts';

export async function createStack(
  { stacks }: Pick<Account, 'stacks'>,
  input: CreateStackCommandInput,
): Promise<string> {
  const { StackId = '' } = await stacks.send(new CreateStackCommand(input));
  return StackId;
}

/** The stack once nothing of it is in progress any more. */
export async function settled({ stacks }: Pick<Account, 'stacks'>, StackName: string): Promise<Stack> {
  for (let looks = 0; looks < 400; looks += 1) {
    const { Stacks: [stack] = [] } = await stacks.send(new DescribeStacksCommand({ StackName }));
    if (stack && !stack.StackStatus?.endsWith('_IN_PROGRESS')) return stack;
    await sleep(25);
  }
  throw new Error(`stack ${StackName} stays in progress`);
}

export async function eventsOf({ stacks }: Pick<Account, 'stacks'>, StackName: string): Promise<StackEvent[]> {
  const events: StackEvent[] = [];
  let NextToken: string | undefined;
  do {
    const page = await stacks.send(new DescribeStackEventsCommand({ StackName, NextToken }));
    events.push(...(page.StackEvents ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return events;
}

/** A table, and a parameter that names it. */
export const tableTemplate = `
Parameters:
  Table: { Type: String }
  Parameter: { Type: String }
  IsProtected: { Type: String, Default: 'false' }
  SortKey: { Type: String, Default: sk }
  Value: { Type: String, Default: one }
Resources:
  TheTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Ref Table
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: !Ref IsProtected
      AttributeDefinitions:
        - { AttributeName: pk, AttributeType: S }
        - { AttributeName: !Ref SortKey, AttributeType: S }
      KeySchema:
        - { AttributeName: pk, KeyType: HASH }
        - { AttributeName: !Ref SortKey, KeyType: RANGE }
  TheParameter:
    Type: AWS::SSM::Parameter
    Properties: { Name: !Ref Parameter, Type: String, Value: !Sub '\${Value} of \${TheTable.Arn}' }
Outputs:
  Arn: { Value: !GetAtt TheTable.Arn }
`;

export const values = (given: Readonly<Record<string, string>>) =>
  Object.entries(given).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
