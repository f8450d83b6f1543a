import { RE2JS } from 're2js';
import type { ListenerRule } from '../../aws/elbv2-rules.ts';

/** The requests that a tenant's rule is for. */
export interface Route {
  readonly host: string;
  /** Patterns with `*` and `?`; empty: every path. */
  readonly paths: readonly string[];
}

/** How much of a route a rule matches. `some` is also the answer where only AWS could tell. */
export type Reach = 'none' | 'some' | 'all';

/** How much of a route a listener rule would catch if it came first. Pure: the load balancer's matching, as its user guide gives it. */
export function reachOf(rule: ListenerRule, route: Route): Reach {
  const hostReach = reachOfHost(rule, route.host);
  if (hostReach === 'none') return 'none';
  const paths = route.paths.length > 0 ? route.paths : ['*'];
  const reaches = paths.map((path) => pathReach(rule, path));
  if (reaches.every((reach) => reach === 'none')) return 'none';
  const isCertain = hostReach === 'all' && rule.otherConditions.length === 0;
  return isCertain && reaches.every((reach) => reach === 'all') ? 'all' : 'some';
}

/** Whether all that a rule does is forward to this one target group. */
export function forwardsOnlyTo({ onlyForwards, targetGroupArns }: ListenerRule, targetGroupArn: string): boolean {
  return onlyForwards && targetGroupArns.length === 1 && targetGroupArns[0] === targetGroupArn;
}

/** A rule for people: ARN, priority and conditions. */
export function describeRule(rule: ListenerRule): string {
  const conditions = [
    ...[...rule.hosts, ...rule.hostRegexes.map((r) => `/${r}/`)].map((host) => `host ${host}`),
    ...[...rule.paths, ...rule.pathRegexes.map((r) => `/${r}/`)].map((path) => `path ${path}`),
    ...rule.otherConditions,
  ];
  return `${rule.arn} at priority ${rule.priority} (${conditions.length > 0 ? conditions.join(', ') : 'any request'})`;
}

function reachOfHost({ hosts, hostRegexes }: ListenerRule, host: string): Reach {
  if (hosts.length + hostRegexes.length === 0) return 'all';
  const name = host.toLowerCase();
  if (hosts.some((pattern) => overlap(pattern.toLowerCase(), name))) return 'all';
  return hostRegexes.some((regex) => mayMatch(regex, name, RE2JS.CASE_INSENSITIVE)) ? 'some' : 'none';
}

function pathReach({ paths, pathRegexes }: ListenerRule, path: string): Reach {
  if (paths.length + pathRegexes.length === 0) return 'all';
  const overlapping = paths.filter((pattern) => overlap(pattern, path));
  if (overlapping.some((pattern) => pattern === '*' || pattern === '/*' || pattern === path)) return 'all';
  if (isLiteral(path)) {
    if (overlapping.length > 0) return 'all';
    return pathRegexes.some((regex) => mayMatch(regex, path)) ? 'some' : 'none';
  }
  // Whether a regular expression and a pattern share a path is not worked out: it may catch some.
  return overlapping.length > 0 || pathRegexes.length > 0 ? 'some' : 'none';
}

function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

/**
 * An expression of strangers: in time that grows with the text alone (RE2), as it runs in the worker's event loop. AWS does not say
 * whether it anchors, so nothing is anchored; what cannot be read counts as a match.
 */
function mayMatch(regex: string, text: string, flags = 0): boolean {
  try {
    return RE2JS.compile(regex, flags).matcher(text).find();
  } catch {
    return true;
  }
}

/** Whether any text matches both patterns. `*` is any text, `?` any one character. */
function overlap(a: string, b: string): boolean {
  const known = new Map<number, boolean>();
  const from = (i: number, j: number): boolean => {
    const key = i * (b.length + 1) + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = step(i, j);
    known.set(key, found);
    return found;
  };
  const step = (i: number, j: number): boolean => {
    if (i === a.length && j === b.length) return true;
    if (a[i] === '*') return from(i + 1, j) || (j < b.length && from(i, j + 1));
    if (b[j] === '*') return from(i, j + 1) || (i < a.length && from(i + 1, j));
    if (i === a.length || j === b.length) return false;
    return (a[i] === b[j] || a[i] === '?' || b[j] === '?') && from(i + 1, j + 1);
  };
  return from(0, 0);
}
