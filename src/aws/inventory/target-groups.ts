import {
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
  type TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { describeTags } from '../elbv2-tags.ts';
import { isAwsError, sent } from '../errors.ts';
import type { Tags } from '../tags.ts';
import { allPages, chunks, retryTransient } from './pages.ts';

/** DescribeTags takes so many ARNs a call; asked part by part, a throttled part is tried again alone. */
const ARNS_PER_CALL = 20;

export function targetGroupList(client: ElasticLoadBalancingV2Client): TypeList {
  return {
    async list(isHeld) {
      const groups = await listAll(client);
      const close = groups.filter((g) => !isHeld('elbv2:target-group', nameOf(g), arnOf(g)));
      const tags = await tagsByArn(client, close.map(arnOf));
      // One that went between the two calls has no tags any more.
      return groups.flatMap((g) =>
        close.includes(g) ? (tags.has(arnOf(g)) ? [toItem(g, tags.get(arnOf(g)))] : []) : [toItem(g, undefined)],
      );
    },
    async find({ physicalId }) {
      try {
        const answer = await retryTransient(() =>
          client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [physicalId] })),
        );
        const [found] = sent(answer.TargetGroups, call, 'TargetGroups');
        if (!found) return undefined;
        const tags = (await tagsByArn(client, [physicalId])).get(physicalId);
        // Gone between the two calls.
        return tags && toItem(found, tags);
      } catch (error) {
        if (isAwsError(error, 'TargetGroupNotFound')) return undefined;
        throw error;
      }
    },
  };
}

/** Tags of target groups or rules; what is gone meanwhile is left out. */
export async function tagsByArn(
  client: ElasticLoadBalancingV2Client,
  arns: readonly string[],
): Promise<Map<string, Tags>> {
  const found = new Map<string, Tags>();
  for (const some of chunks(arns, ARNS_PER_CALL)) {
    for (const [arn, tags] of await tagsOfSome(client, some)) found.set(arn, tags);
  }
  return found;
}

/** One missing ARN fails the whole call: then each is asked for alone. */
async function tagsOfSome(client: ElasticLoadBalancingV2Client, arns: readonly string[]): Promise<Map<string, Tags>> {
  try {
    return await retryTransient(() => describeTags(client, arns));
  } catch (error) {
    if (!isAwsError(error, ...missing)) throw error;
    if (arns.length === 1) return new Map();
    const each = new Map<string, Tags>();
    for (const arn of arns) for (const [key, tags] of await tagsOfSome(client, [arn])) each.set(key, tags);
    return each;
  }
}

const missing = ['TargetGroupNotFound', 'RuleNotFound', 'ListenerNotFound', 'LoadBalancerNotFound'] as const;

const call = { service: 'elasticloadbalancing', action: 'DescribeTargetGroups' };

function listAll(client: ElasticLoadBalancingV2Client): Promise<TargetGroup[]> {
  return allPages(async (Marker) => {
    const page = await client.send(new DescribeTargetGroupsCommand({ Marker, PageSize: 400 }));
    return { items: sent(page.TargetGroups, call, 'TargetGroups'), next: page.NextMarker };
  });
}

const arnOf = (raw: TargetGroup): string => sent(raw.TargetGroupArn, call, 'TargetGroupArn');
const nameOf = (raw: TargetGroup): string => sent(raw.TargetGroupName, call, 'TargetGroupName');

function toItem(raw: TargetGroup, tags: Tags | undefined): SweptItem {
  return {
    type: 'elbv2:target-group',
    physicalId: arnOf(raw),
    name: nameOf(raw),
    tags,
    createdAt: undefined,
    passing: undefined,
    // Without its load balancers: they change as the sweep takes its rules away.
    seen: { physicalId: arnOf(raw), tags, port: raw.Port, vpc: raw.VpcId },
  };
}
