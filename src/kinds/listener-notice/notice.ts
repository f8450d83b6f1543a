import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import { priorityBands } from '../../db/allocations.ts';

/** Whether a rule of the listener is in the band of notices, and for this host alone. */
export function isNoticeOf(rule: ListenerRule, host: string): boolean {
  const { hosts, paths, priority } = rule;
  const isForHost = hosts.length === 1 && hosts[0]?.toLowerCase() === host.toLowerCase() && paths.length === 0;
  return isForHost && priority <= priorityBands.notice.last;
}

/** Whether all that a rule asks for is this host. */
export function hasHostAlone(rule: ListenerRule, host: string): boolean {
  const further = [...rule.hostRegexes, ...rule.paths, ...rule.pathRegexes, ...rule.otherConditions];
  return rule.hosts.length === 1 && rule.hosts[0]?.toLowerCase() === host.toLowerCase() && further.length === 0;
}
