import type { Handler } from '../pipeline.ts';
import { memberList, queryParams } from '../request.ts';
import { eventView, resourceSummaryView, resourceView, stackAnswer, stackView, summaryView } from './answers.ts';
import { invalid, pageOf } from './input.ts';
import { named } from './stack-handlers.ts';
import type { StackStore } from './stack-store.ts';

/** Stacks, events and resources on a page. Source: API reference of each call; ListStacks and DescribeStacks tell none. */
const PAGE_SIZE = 100;

/** What shows stacks and changes nothing. */
export function createViewHandlers(stacks: StackStore): Record<string, Handler> {
  const onPages = (call: Parameters<Handler>[0], name: string, list: readonly unknown[]) => {
    const { items, next } = pageOf(queryParams(call), list, PAGE_SIZE);
    return Promise.resolve(stackAnswer(call, { [name]: items as ReturnType<typeof stackView>[], NextToken: next }));
  };
  return {
    DescribeStacks: (call) => {
      const isOne = queryParams(call).has('StackName');
      const found = isOne ? [named(stacks, call)] : stacks.of(call.scope).filter(({ deletedAt }) => !deletedAt);
      return onPages(call, 'Stacks', found.map(stackView));
    },
    ListStacks: (call) => {
      const wanted: readonly string[] = memberList(queryParams(call), 'StackStatusFilter');
      const found = stacks.of(call.scope).filter(({ status }) => wanted.length === 0 || wanted.includes(status));
      return onPages(call, 'StackSummaries', found.map(summaryView));
    },
    DescribeStackEvents: (call) => {
      const stack = named(stacks, call);
      return onPages(
        call,
        'StackEvents',
        stack.events.map((event) => eventView(stack, event)),
      );
    },
    DescribeStackResources: (call) => {
      const stack = named(stacks, call);
      const wanted = queryParams(call).get('LogicalResourceId');
      const found = [...stack.resources.values()].filter(({ logicalId }) => wanted === null || wanted === logicalId);
      // Source: API reference of DescribeStackResources: only the first 100 of a stack, and no token for the rest.
      const first = found.slice(0, PAGE_SIZE);
      return Promise.resolve(stackAnswer(call, { StackResources: first.map((one) => resourceView(stack, one)) }));
    },
    DescribeStackResource: (call) => {
      const stack = named(stacks, call);
      const wanted = queryParams(call).get('LogicalResourceId') ?? '';
      const found = stack.resources.get(wanted);
      if (!found) throw invalid(`Resource ${wanted} does not exist for stack ${stack.name}`);
      return Promise.resolve(stackAnswer(call, { StackResourceDetail: resourceView(stack, found) }));
    },
    ListStackResources: (call) => {
      const stack = named(stacks, call);
      const found = [...stack.resources.values()].map(resourceSummaryView);
      return onPages(call, 'StackResourceSummaries', found);
    },
    GetTemplate: (call) => Promise.resolve(stackAnswer(call, { TemplateBody: named(stacks, call).wish.body })),
  };
}
