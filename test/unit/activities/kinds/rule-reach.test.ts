import { describe, expect, it } from 'vitest';
import { describeRule, reachOf } from '../../../../src/kinds/listener-rule/reach.ts';
import type { ListenerRule } from '../../../../src/aws/elbv2-rules.ts';

const host = 'acme.moamalat-pro.com';

function rule(changes: Partial<ListenerRule> = {}): ListenerRule {
  const conditions = { hosts: [], hostRegexes: [], paths: [], pathRegexes: [], otherConditions: [] };
  return { arn: 'arn:rule', priority: 10, ...conditions, targetGroupArns: [], onlyForwards: false, ...changes };
}

describe('how much a listener rule catches', () => {
  it.each<[string, Partial<ListenerRule>, 'none' | 'some' | 'all']>([
    ['the host itself', { hosts: [host] }, 'all'],
    ['the host in capitals', { hosts: ['ACME.Moamalat-Pro.COM'] }, 'all'],
    ['a wildcard of the zone', { hosts: ['*.moamalat-pro.com'] }, 'all'],
    ['a wildcard over labels', { hosts: ['a*.com'] }, 'all'],
    ['a question mark', { hosts: ['acm?.moamalat-pro.com'] }, 'all'],
    ['one of several hosts', { hosts: ['other.example.com', '*pro.com'] }, 'all'],
    ['no host at all', {}, 'all'],
    ['another tenant', { hosts: ['globex.moamalat-pro.com'] }, 'none'],
    ['the zone alone', { hosts: ['moamalat-pro.com'] }, 'none'],
    ['a question mark too many', { hosts: ['acme?.moamalat-pro.com'] }, 'none'],
    ['a regular expression that matches here', { hostRegexes: ['^[a-z]+\\.MOAMALAT-pro\\.com$'] }, 'some'],
    ['a regular expression that does not match', { hostRegexes: ['^www\\.'] }, 'none'],
    ['a regular expression that only AWS can read', { hostRegexes: ['(?i)['] }, 'some'],
    ['a pattern besides a regular expression', { hosts: ['*'], hostRegexes: ['^www\\.'] }, 'all'],
    ['any path of the host', { hosts: [host], paths: ['/*'] }, 'all'],
    ['a path of the host', { hosts: [host], paths: ['/robots.txt'] }, 'some'],
    ['a path expression of any host', { pathRegexes: ['^/v[0-9]+/'] }, 'some'],
    ['a condition besides', { hosts: ['*'], otherConditions: ['source-ip'] }, 'some'],
    ['a path of another host', { hosts: ['other.example.com'], paths: ['/*'] }, 'none'],
  ])('of every path of a host: %s', (_, changes, expected) => {
    expect(reachOf(rule(changes), { host, paths: [] })).toBe(expected);
  });

  it.each<[string, Partial<ListenerRule>, 'none' | 'some' | 'all']>([
    ['the same pattern', { paths: ['/api/*'] }, 'all'],
    ['every path', { paths: ['/*'] }, 'all'],
    ['one path below', { paths: ['/api/health'] }, 'some'],
    ['an ending', { paths: ['*.json'] }, 'some'],
    ['a pattern that crosses it', { paths: ['/a?i/v1/*'] }, 'some'],
    ['another folder', { paths: ['/static/*'] }, 'none'],
    ['the folder in capitals, as paths have case', { paths: ['/API/*'] }, 'none'],
    ['the path without its slash', { paths: ['/api'] }, 'none'],
    ['an expression that nobody works out', { pathRegexes: ['^/static/'] }, 'some'],
  ])('of the paths /api/*: %s', (_, changes, expected) => {
    expect(reachOf(rule(changes), { host, paths: ['/api/*'] })).toBe(expected);
  });

  it.each<[string, Partial<ListenerRule>, 'none' | 'some' | 'all']>([
    ['a pattern over it', { paths: ['/api/*'] }, 'all'],
    ['an expression that matches here', { pathRegexes: ['^/api/'] }, 'some'],
    ['an expression of every host that matches here', { hostRegexes: ['pro'], pathRegexes: ['^/static/'] }, 'none'],
    ['an expression that does not', { pathRegexes: ['^/static/'] }, 'none'],
    ['another path', { paths: ['/health'] }, 'none'],
  ])('of the one path /api/health: %s', (_, changes, expected) => {
    expect(reachOf(rule(changes), { host, paths: ['/api/health'] })).toBe(expected);
  });

  // By backtracking this takes years, so a failure is the test's timeout, or a runner that hangs.
  it("is worked out in the text's time when an expression would take for ever by backtracking", () => {
    const long = `${'a'.repeat(60)}.moamalat-pro.com`;
    const path = `/${'a'.repeat(100)}`;
    expect(reachOf(rule({ hostRegexes: ['^(a+)+$'] }), { host: long, paths: [] })).toBe('none');
    expect(reachOf(rule({ pathRegexes: ['^/(a|a)*!$'] }), { host, paths: [path] })).toBe('none');
  });

  it('is said with the conditions of the rule', () => {
    const full = rule({ hosts: ['*.com'], paths: ['/a'], hostRegexes: ['^b'], otherConditions: ['source-ip'] });
    expect(describeRule(full)).toBe('arn:rule at priority 10 (host *.com, host /^b/, path /a, source-ip)');
    expect(describeRule(rule())).toBe('arn:rule at priority 10 (any request)');
  });
});
