import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import { priorityBands } from '../../db/allocations.ts';

/** Whether a rule of the listener is in the band of notices, and for this host alone. */
export function isNoticeOf({ hosts, paths, priority }: ListenerRule, host: string): boolean {
  const isForHost = hosts.length === 1 && hosts[0]?.toLowerCase() === host.toLowerCase() && paths.length === 0;
  return isForHost && priority <= priorityBands.notice.last;
}
