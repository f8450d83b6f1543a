import { DescribeTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../answer.ts';
import type { Quotas } from '../limits/quotas.ts';
import type { Handler } from '../pipeline.ts';
import { memberList, queryParams, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';

/** Resources that one DescribeTags call may name (ELBv2 API reference). */
const maxDescribed = 20;

/** Tags: at most 50 on a resource, at most 20 resources in one question. */
export function createTagHandlers({
  upstream,
  quotas,
}: {
  readonly upstream: Upstream;
  readonly quotas?: Quotas | undefined;
}): Record<string, Handler> {
  return {
    AddTags: async (call) => {
      if (quotas?.isOn) await requireTagRoom(upstream, quotas, call);
      return upstream.forward(call);
    },
    DescribeTags: (call) => {
      const asked = memberList(queryParams(call), 'ResourceArns').length;
      if (asked > maxDescribed) {
        throw new AwsError(
          'ValidationError',
          `1 validation error detected: Value at 'resourceArns' failed to satisfy constraint: Member must have length less than or equal to ${maxDescribed}`,
        );
      }
      return upstream.forward(call);
    },
  };
}

/** Keys that a call tags with. */
export function tagKeys(params: URLSearchParams): string[] {
  return [...params].filter(([name]) => /^Tags\.member\.\d+\.Key$/.test(name)).map(([, key]) => key);
}

async function requireTagRoom(upstream: Upstream, quotas: Quotas, call: Call): Promise<void> {
  const params = queryParams(call);
  const ResourceArns = memberList(params, 'ResourceArns');
  const { TagDescriptions = [] } = await upstream
    .clients(call.scope)
    .elb.send(new DescribeTagsCommand({ ResourceArns }));
  for (const { Tags = [] } of TagDescriptions) {
    const keys = new Set([...Tags.map((tag) => tag.Key), ...tagKeys(params)]);
    quotas.require('tags-per-resource', keys.size);
  }
}
