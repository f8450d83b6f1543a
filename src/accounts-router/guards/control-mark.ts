import { ControlPlaneRowError, InputRefusedError } from '../errors.ts';
import { isNamed } from '../error-names.ts';
import { ownName, type Placeholders } from '../expressions/placeholders.ts';
import { rowMark } from '../fence.ts';
import type { Fields } from '../table.ts';

/** A write, and where in the input its row is. */
export interface MarkedWrite {
  readonly field: string;
  readonly sent: Fields;
}

const markName = 'Mark';
const unmarked = (name: string) => `attribute_not_exists(${name})`;

/** The mark of the control plane is not the caller's to write. @throws InputRefusedError */
export function assertUnmarked(field: string, item: Fields): void {
  if (item[rowMark] !== undefined) throw markRefused(`${field}.${rowMark}`);
}

/** Nor to change, nor anything in it. @throws InputRefusedError */
export function assertOtherThanMark(field: string, attribute: string): void {
  if (attribute === rowMark) throw markRefused(field);
}

function markRefused(field: string): InputRefusedError {
  return new InputRefusedError(field, `${rowMark} is the mark of the control plane's own rows: no call writes it`);
}

/** The condition that the row which a write hits is not the control plane's. */
export function unmarkedCondition(placeholders: Placeholders): string {
  return unmarked(placeholders.addName(markName, rowMark));
}

/** What DynamoDB answers when a condition was not met, of one row or of one item of a transaction. */
interface Failure {
  readonly Code?: unknown;
  readonly Item?: unknown;
}

/**
 * Runs writes that carry the {@link unmarkedCondition}.
 * @param writes in the order of the call's items; undefined for one that writes nothing
 * @throws ControlPlaneRowError when a row bears the mark: one whose caller set no condition, or that DynamoDB gave back; else what the run throws
 */
export async function tellingMarked<A>(
  writes: readonly (MarkedWrite | undefined)[],
  run: () => Promise<A>,
): Promise<A> {
  try {
    return await run();
  } catch (cause) {
    const failures = failuresOf(cause);
    const found = writes.find((write, n) => write && isByMark(write, failures[n]));
    throw found ? new ControlPlaneRowError(found.field, { cause }) : cause;
  }
}

const failed = 'ConditionalCheckFailed';

function failuresOf(error: unknown): readonly unknown[] {
  if (isNamed(error, `${failed}Exception`)) return [{ Code: failed, ...('Item' in error && { Item: error.Item }) }];
  const isCanceled = isNamed(error, 'TransactionCanceledException') && 'CancellationReasons' in error;
  return isCanceled && Array.isArray(error.CancellationReasons) ? error.CancellationReasons : [];
}

function isByMark({ sent }: MarkedWrite, failure: unknown): boolean {
  if (!isFailure(failure) || failure.Code !== failed) return false;
  if (sent['ConditionExpression'] === unmarked(ownName(markName))) return true;
  const { Item } = failure;
  return typeof Item === 'object' && Item !== null && rowMark in Item;
}

function isFailure(failure: unknown): failure is Failure {
  return typeof failure === 'object' && failure !== null;
}
