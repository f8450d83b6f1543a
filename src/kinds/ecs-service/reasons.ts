import type { EcsService } from '../../aws/ecs-service.ts';

/** What differs from task to task in one and the same reason, the longer forms first. */
const varying: readonly RegExp[] = [
  /\barn:aws[\w-]*:[^\s,;)'"]+/g,
  // Dates and times: 2026-01-31T10:00:00.123Z, 10:00:00.
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?/gi,
  /\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g,
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi,
  // Addresses, with a port or a prefix length.
  /\b\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?\b/g,
  /(?<![\w:])(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]{3,}(?:\]:\d+)?/gi,
  // Ids: at least eight hexadecimal digits with a decimal one among them, and long numbers.
  /\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi,
  /\b\d{9,}\b/g,
  // Durations, sizes and counts of tries. Not plain numbers: exit codes and statuses tell one reason from another.
  /\b(?:\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|sec|secs|seconds?|m|min|minutes?|h|hours?|bytes?|[kmg]i?b|times?))+\b/gi,
];

/** A reason without what differs each time: equal for reasons that say the same. */
export function plainReason(reason: string): string {
  return varying.reduce((text, pattern) => text.replace(pattern, '…'), reason);
}

/** What a service says while all is well. */
const routine =
  /has started \d+ tasks|has stopped \d+ (?:running|pending) tasks|registered \d+ targets|draining connections|reached a steady state|deployment completed/i;
const MAX_EVENTS = 2;

/** The service's own newest words on what keeps it since then ("unable to place a task ..."); empty when it has none. */
export function troubleSince(service: EcsService, since: Date): string {
  const byReason = new Map<string, string>();
  for (const { at, message } of service.events) {
    const isOfInterest = at !== undefined && at >= since && message !== '' && !routine.test(message);
    // Newest first: the one that is kept of several alike.
    if (isOfInterest && !byReason.has(plainReason(message))) byReason.set(plainReason(message), message);
  }
  const [...messages] = byReason.values();
  return messages.length === 0 ? '' : `; ECS says: ${messages.slice(0, MAX_EVENTS).join(' | ')}`;
}
