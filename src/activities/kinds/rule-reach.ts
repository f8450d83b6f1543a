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
  if (!matchesHost(rule, route.host)) return 'none';
  const paths = route.paths.length > 0 ? route.paths : ['*'];
  const reaches = paths.map((path) => pathReach(rule, path));
  if (reaches.every((reach) => reach === 'none')) return 'none';
  return rule.otherConditions.length === 0 && reaches.every((reach) => reach === 'all') ? 'all' : 'some';
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

function matchesHost({ hosts, hostRegexes }: ListenerRule, host: string): boolean {
  if (hosts.length + hostRegexes.length === 0) return true;
  const name = host.toLowerCase();
  return (
    hosts.some((pattern) => overlap(pattern.toLowerCase(), name)) ||
    hostRegexes.some((regex) => matchesRegex(regex, name, 'i'))
  );
}

function pathReach({ paths, pathRegexes }: ListenerRule, path: string): Reach {
  if (paths.length + pathRegexes.length === 0) return 'all';
  const overlapping = paths.filter((pattern) => overlap(pattern, path));
  if (overlapping.some((pattern) => pattern === '*' || pattern === '/*' || pattern === path)) return 'all';
  if (isLiteral(path)) {
    const isMatched = overlapping.length > 0 || pathRegexes.some((regex) => matchesRegex(regex, path));
    return isMatched ? 'all' : 'none';
  }
  // Whether a regular expression and a pattern share a path is not worked out: it may catch some.
  return overlapping.length > 0 || pathRegexes.length > 0 ? 'some' : 'none';
}

function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

/** AWS's dialect may differ from ours, so what cannot be read counts as a match, and an expression is not anchored. */
function matchesRegex(regex: string, text: string, flags = ''): boolean {
  try {
    return new RegExp(regex, flags).test(text);
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
