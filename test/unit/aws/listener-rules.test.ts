import type { Action, Rule } from '@aws-sdk/client-elastic-load-balancing-v2';
import { describe, expect, it } from 'vitest';
import { forwardsOnlyTo } from '../../../src/kinds/listener-rule/reach.ts';
import { toRule } from '../../../src/aws/elbv2-rules.ts';

const call = { service: 'elasticloadbalancing', action: 'DescribeRules' };
const read = (rule: Partial<Rule>) => toRule({ RuleArn: 'arn:rule', Priority: '7', ...rule }, call);

describe('a listener rule as AWS answers it', () => {
  it('is read with values and regular expressions, and the fields of all other conditions', () => {
    const Conditions = [
      { Field: 'host-header', HostHeaderConfig: { Values: ['a.com'] } },
      { Field: 'path-pattern', PathPatternConfig: { RegexValues: ['^/v1/'] } },
      { Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/8'] } },
      { Field: 'query-string', QueryStringConfig: { Values: [{ Value: '1' }] } },
    ];
    expect(read({ Conditions })).toMatchObject({
      ...{ priority: 7, hosts: ['a.com'], hostRegexes: [], paths: [], pathRegexes: ['^/v1/'] },
      otherConditions: ['source-ip', 'query-string'],
    });
    expect(read({ Conditions: [{ Field: 'host-header', Values: ['b.com'] }] }).hosts).toEqual(['b.com']);
  });

  const forward: Action = { Type: 'forward', TargetGroupArn: 'ours' };
  const both = { TargetGroups: [{ TargetGroupArn: 'ours' }, { TargetGroupArn: 'theirs' }] };
  it.each<[string, Partial<Rule>, boolean]>([
    ['one target group', { Actions: [forward] }, true],
    [
      'one target group in a list',
      { Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: 'ours' }] } }] },
      true,
    ],
    ['another', { Actions: [{ Type: 'forward', TargetGroupArn: 'theirs' }] }, false],
    ['another besides', { Actions: [{ Type: 'forward', ForwardConfig: both }] }, false],
    ['a login before it', { Actions: [{ Type: 'authenticate-oidc' }, forward] }, false],
    ['a rewritten path', { Actions: [forward], Transforms: [{ Type: 'url-rewrite' }] }, false],
    ['a page of its own', { Actions: [{ Type: 'fixed-response' }] }, false],
  ])('forwards to the target group and does nothing else: %s', (_, rule, expected) => {
    expect(forwardsOnlyTo(read(rule), 'ours')).toBe(expected);
  });
});
