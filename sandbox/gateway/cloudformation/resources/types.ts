import type { ResourceType } from './type.ts';
import { dynamodbTable } from './dynamodb-table.ts';
import { scalableTarget } from './scalable-target.ts';
import { scalingPolicy } from './scaling-policy.ts';
import { ssmParameter } from './ssm-parameter.ts';
import { waitHandle } from './wait-handle.ts';

const types: Readonly<Record<string, ResourceType>> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': scalableTarget,
  'AWS::ApplicationAutoScaling::ScalingPolicy': scalingPolicy,
  'AWS::CloudFormation::WaitConditionHandle': waitHandle,
  'AWS::DynamoDB::Table': dynamodbTable,
  'AWS::SSM::Parameter': ssmParameter,
};

/** Undefined: the sandbox does not make it. */
export function resourceType(name: string): ResourceType | undefined {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}
