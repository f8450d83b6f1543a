import { AwsError, jsonAnswer } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import type { Answer, Call } from '../request.ts';
import {
  describePoliciesInput,
  describeTargetsInput,
  keyInput,
  listTagsInput,
  policyInput,
  policyKeyInput,
  registerInput,
  tagInput,
  untagInput,
} from './input.ts';
import type { ScalableTarget, ScalingPolicy, TargetKey } from './model.ts';
import { invalid, read } from './reading.ts';
import { refuseTags, type Scaling } from './scaling.ts';

/** Largest pages. Source: API reference of each call. */
const TARGETS_ON_PAGE = 50;
const POLICIES_ON_PAGE = 10;
const ACTIVITIES_ON_PAGE = 50;

/** Application Auto Scaling, which the emulator has none of. */
export function createScalingHandlers(scaling: Scaling): Record<string, Handler> {
  return {
    RegisterScalableTarget: async (call) => {
      const { arn } = await scaling.register(call.scope, read(call, registerInput));
      return jsonAnswer({ ScalableTargetARN: arn });
    },
    DeregisterScalableTarget: answering((call) => {
      scaling.deregister(call.scope, read(call, keyInput));
      return {};
    }),
    DescribeScalableTargets: answering((call) => describeTargets(scaling, call)),
    PutScalingPolicy: answering((call) => {
      const { arn } = scaling.putPolicy(call.scope, read(call, policyInput));
      return { PolicyARN: arn, Alarms: [] };
    }),
    DeleteScalingPolicy: answering((call) => {
      const input = read(call, policyKeyInput);
      scaling.deletePolicy(call.scope, input, input.PolicyName);
      return {};
    }),
    DescribeScalingPolicies: answering((call) => describePolicies(scaling, call)),
    DescribeScalingActivities: answering((call) => {
      const input = read(call, describePoliciesInput);
      refuseDimensionAlone(input.ScalableDimension, input.ResourceId);
      // Nothing is scaled, so nothing was done.
      return page('ScalingActivities', [], input, ACTIVITIES_ON_PAGE);
    }),
    ...tagHandlers(scaling),
    '*': ({ action }) =>
      Promise.reject(
        new AwsError('UnknownOperationException', `the sandbox's Application Auto Scaling has no ${action}`),
      ),
  };
}

function tagHandlers(scaling: Scaling): Record<string, Handler> {
  return {
    TagResource: answering((call) => {
      const { ResourceARN, Tags } = read(call, tagInput);
      const target = scaling.tagged(call.scope, ResourceARN);
      const tags = { ...target.tags, ...Tags };
      refuseTags(tags);
      target.tags = tags;
      return {};
    }),
    UntagResource: answering((call) => {
      const { ResourceARN, TagKeys } = read(call, untagInput);
      const target = scaling.tagged(call.scope, ResourceARN);
      target.tags = Object.fromEntries(Object.entries(target.tags).filter(([name]) => !TagKeys.includes(name)));
      return {};
    }),
    ListTagsForResource: answering((call) => ({
      Tags: scaling.tagged(call.scope, read(call, listTagsInput).ResourceARN).tags,
    })),
  };
}

function answering(act: (call: Call) => object): Handler {
  // A refusal is a rejection, as handlers have it.
  return (call) => new Promise<Answer>((resolve) => resolve(jsonAnswer(act(call))));
}

function describeTargets(scaling: Scaling, call: Call): object {
  const input = read(call, describeTargetsInput);
  const { ResourceIds = [], ScalableDimension } = input;
  refuseDimensionAlone(ScalableDimension, ResourceIds[0]);
  const found = scaling
    .targets(call.scope)
    .filter(({ key }) => fits(key, input) && (ResourceIds.length === 0 || ResourceIds.includes(key.ResourceId)));
  return page('ScalableTargets', found.map(targetView), input, TARGETS_ON_PAGE);
}

function describePolicies(scaling: Scaling, call: Call): object {
  const input = read(call, describePoliciesInput);
  const { PolicyNames = [], ResourceId, ScalableDimension } = input;
  refuseDimensionAlone(ScalableDimension, ResourceId);
  const found = scaling
    .policies(call.scope)
    .filter(({ key }) => fits(key, input) && (ResourceId === undefined || ResourceId === key.ResourceId))
    .filter(({ name }) => PolicyNames.length === 0 || PolicyNames.includes(name));
  return page('ScalingPolicies', found.map(policyView), input, POLICIES_ON_PAGE);
}

function fits(
  key: TargetKey,
  asked: { readonly ServiceNamespace: string; readonly ScalableDimension?: string | undefined },
): boolean {
  const { ScalableDimension = key.ScalableDimension, ServiceNamespace } = asked;
  return key.ServiceNamespace === ServiceNamespace && key.ScalableDimension === ScalableDimension;
}

function refuseDimensionAlone(dimension: string | undefined, resourceId: string | undefined): void {
  if (dimension !== undefined && resourceId === undefined)
    throw invalid('If you specify a scalable dimension, you must also specify a resource ID.');
}

interface Paged {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

function page(name: string, list: readonly object[], { MaxResults, NextToken = '0' }: Paged, largest: number): object {
  const size = MaxResults ?? largest;
  if (size < 1 || size > largest) throw invalid(`MaxResults must be between 1 and ${largest}`);
  if (!/^\d+$/.test(NextToken)) throw new AwsError('InvalidNextTokenException', 'The next token supplied is invalid.');
  const start = Number(NextToken);
  const end = start + size;
  return { [name]: list.slice(start, end), ...(end < list.length && { NextToken: String(end) }) };
}

function targetView({ key, minCapacity, maxCapacity, roleArn, createdAt, suspended, arn }: ScalableTarget): object {
  return {
    ...key,
    MinCapacity: minCapacity,
    MaxCapacity: maxCapacity,
    RoleARN: roleArn,
    CreationTime: createdAt.getTime() / 1000,
    SuspendedState: suspended,
    ScalableTargetARN: arn,
  };
}

function policyView({ key, name, arn, createdAt, tracking }: ScalingPolicy): object {
  return {
    ...key,
    PolicyARN: arn,
    PolicyName: name,
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: tracking,
    Alarms: [],
    CreationTime: createdAt.getTime() / 1000,
  };
}
