import { DescribeStacksCommand, type CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { toStack, type Stack } from '../cloudformation.ts';
import { isMissingStack } from '../cloudformation-request.ts';
import { sent } from '../errors.ts';
import { allPages, retryTransient } from './pages.ts';

/** Every stack of the cell's account and region, with its tags. */
export function stackList(client: CloudFormationClient): TypeList {
  const read = async (input: { readonly StackName?: string; readonly NextToken?: string | undefined }) => {
    const page = await client.send(new DescribeStacksCommand(input));
    const stacks = sent(page.Stacks, { service: 'cloudformation', action: 'DescribeStacks' }, 'Stacks').map(toStack);
    return { items: stacks.filter(({ status }) => status !== 'DELETE_COMPLETE').map(toItem), next: page.NextToken };
  };
  return {
    list: () => allPages((NextToken) => read({ NextToken })),
    async find({ physicalId }) {
      try {
        return (await retryTransient(() => read({ StackName: physicalId }))).items[0];
      } catch (error) {
        if (isMissingStack(error)) return undefined;
        throw error;
      }
    },
  };
}

function toItem(stack: Stack): SweptItem {
  const { id, name, tags, createdAt, status } = stack;
  return {
    ...{ type: 'cloudformation:stack', physicalId: id, name, tags, createdAt },
    passing: status === 'DELETE_IN_PROGRESS' ? 'CloudFormation is deleting it' : undefined,
    seen: { ...stack },
  };
}
