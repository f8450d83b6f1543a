/**
 * How many tasks a service had before an operation changed that, and which operation: for its way back, and for the resumption after a
 * suspension. Kept in a tag of the service, because only the service knows who scaled it.
 */
export const COUNT_TAG = 'tenantry:count';

export interface CountNote {
  readonly count: number;
  /** Undefined in a note of an earlier version, which only suspensions left. */
  readonly operationId: string | undefined;
}

/** Text of the tag; only characters that a tag value may hold. */
export function formatCountNote({ count, operationId }: CountNote): string {
  return operationId === undefined ? String(count) : `${count} ${operationId}`;
}

/** The inverse of {@link formatCountNote}; undefined when the text is none. */
export function parseCountNote(text: string | undefined): CountNote | undefined {
  const [, count = '', operationId] = /^([1-9]\d*)(?: (\S+))?$/.exec(text ?? '') ?? [];
  return count === '' ? undefined : { count: Number(count), operationId };
}

export interface CountFacts {
  /** What the service has. */
  readonly found: number;
  /** What the step's spec says. */
  readonly wanted: number;
  /** What its spec on the other side of the update says; undefined where there is none. */
  readonly other: number | undefined;
  readonly note: CountNote | undefined;
  readonly operationId: string;
  readonly goesBack: boolean;
}

/**
 * How many tasks a service is to have. A count that an operation does not change, or did not come to change, is whoever's who scaled the
 * service since (an operator, auto scaling): it is not reset. Pure.
 */
export function countOf({ found, wanted, other, note, operationId, goesBack }: CountFacts): number {
  if (other === undefined || wanted === 0) return wanted;
  // That nothing runs of a service which is to run is no scaling.
  const kept = found > 0 ? found : wanted;
  if (other === wanted) return kept;
  if (!goesBack) return other === 0 ? (note?.count ?? wanted) : wanted;
  const isOwnNote = note?.operationId === operationId || (note?.operationId === undefined && other === 0);
  if (note && isOwnNote) return note.count;
  // A look may be older than the note: what the operation asked for is never what was before it.
  return found === other ? wanted : kept;
}

/** What is to be noted before an operation changes a count; undefined where it changes none, and once it is noted. Pure. */
export function noteBefore(facts: CountFacts): CountNote | undefined {
  const { found, wanted, other, note, operationId, goesBack } = facts;
  // A suspension's note is the resumption's: it stays until the tenant runs again and is changed.
  if (goesBack || other === undefined || other === 0 || other === wanted) return undefined;
  if (note?.operationId === operationId) return undefined;
  return { count: found > 0 ? found : other, operationId };
}
