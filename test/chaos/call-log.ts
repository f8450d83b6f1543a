import type { CallRecord } from '../../sandbox/gateway/gateway.ts';

/** A line per AWS call: when, by whom, for which step, what, how it ended, and what befell it. */
export function renderCalls(calls: readonly CallRecord[]): string {
  return calls.map(renderCall).join('\n');
}

function renderCall({ at, caller, service, action, resource, outcome, code, durationMs, fault, effect }: CallRecord) {
  const who = `${caller.app ?? '-'} ${caller.operationId?.slice(0, 8) ?? '-'} ${caller.stepId ?? '-'}.${caller.verb ?? '-'}`;
  const end = [
    outcome,
    code,
    fault && `[${fault.type} by ${fault.ruleId}]`,
    effect && `effect ${effect.status} at ${effect.at}`,
  ];
  return `  ${at} ${who} ${service}:${action} ${resource ?? ''} ${end.filter(Boolean).join(' ')} ${durationMs} ms`;
}
