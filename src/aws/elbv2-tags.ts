import { DescribeTagsCommand, type ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { sent } from './errors.ts';
import { tagsOf, type Tags } from './tags.ts';

/** DescribeTags takes so many ARNs a call. Source: aws-facts.md. */
const ARNS_PER_CALL = 20;

/** Tags of target groups, rules, listeners or load balancers by ARN: of every one that is asked for. */
export async function describeTags(
  client: ElasticLoadBalancingV2Client,
  arns: readonly string[],
): Promise<Map<string, Tags>> {
  const found = new Map<string, Tags>();
  const call = { service: 'elasticloadbalancing', action: 'DescribeTags' };
  for (let from = 0; from < arns.length; from += ARNS_PER_CALL) {
    const asked = arns.slice(from, from + ARNS_PER_CALL);
    const answer = await client.send(new DescribeTagsCommand({ ResourceArns: asked }));
    for (const { ResourceArn, Tags: tags } of sent(answer.TagDescriptions, call, 'TagDescriptions')) {
      found.set(sent(ResourceArn, call, 'ResourceArn'), tagsOf(tags));
    }
    // One that is gone fails the whole call; one that is not described would look like one without a mark.
    for (const arn of asked) sent(found.get(arn), call, `TagDescriptions of ${arn}`);
  }
  return found;
}
