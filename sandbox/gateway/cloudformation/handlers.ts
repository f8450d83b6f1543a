import { AwsError } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { createChangeSetHandlers } from './change-set-handlers.ts';
import { createStackHandlers } from './stack-handlers.ts';
import { createViewHandlers } from './view-handlers.ts';
import type { StackParts } from './stack-handlers.ts';

/** CloudFormation, which is the gateway's alone: the emulator behind it has other stacks, and none of these. */
export function createCloudFormationHandlers(parts: StackParts): Record<string, Handler> {
  return {
    ...createStackHandlers(parts),
    ...createViewHandlers(parts.stacks),
    ...createChangeSetHandlers(parts),
    '*': ({ action }) => Promise.reject(new AwsError('InvalidAction', `the sandbox's CloudFormation has no ${action}`)),
  };
}
