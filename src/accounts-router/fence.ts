import { accountPartition } from './account-id.ts';
import { AccountParametersError } from './errors.ts';

/*
 * What the router and whoever moves an account agree on (docs/adr/0022-moving-an-account.md). The names are in tables and parameters that
 * other processes read, of this release and of others: they stay as they are.
 */

/** Of an account, below `/accounts/{id}/`: the name of the table that it moves to. While it is there, the fence item says which table counts. */
export const moveParameter = 'move';
export const leaseParameterName = '/platform/dynamodb/router-lease-seconds';
/** Where no parameter says otherwise: routers use what they read for 5 minutes then. */
export const defaultLeaseSeconds = 600;
/** Whole seconds. An answer of SSM may be an eighth of it old: outside of tests it is not below 60. */
export const leaseBounds = { leastSeconds: 1, mostSeconds: 3_600 } as const;

/** The attribute that marks rows of the control plane: a fence item has it, rows of services never do. */
export const rowMark = 'tenantry';
/** A writer whose registration stands this long after the fence was closed has stopped: the mover removes its registration. */
export const brokenAfterMs = 10_000;

/** Attributes of a fence item, in the shared table. `writers` is a map from the start: routers set its members. */
export const fenceAttributes = {
  state: 'state',
  toTable: 'toTable',
  moveId: 'moveId',
  writers: 'writers',
  movedAt: 'movedAt',
  count: 'count',
  checksum: 'checksum',
} as const;

/**
 * `open`: the shared table counts; a write is registered while it is under way. `closed`: the shared table counts, and no write begins. `moved`:
 * `toTable` counts, for good.
 */
export type FenceState = 'open' | 'closed' | 'moved';

/** The rows as they were when both tables held the same. */
export interface VerifiedRows {
  readonly count: number;
  readonly checksum: string;
}

export interface Fence {
  readonly state: FenceState;
  readonly toTable: string;
  /** Of the operation: another attempt is another move. */
  readonly moveId: string;
  /** By the id of a registration (an id is used once): when it was made, in epoch ms by the router's clock, to be shown only. */
  readonly writers: Readonly<Record<string, number>>;
  /** ISO 8601; when `moved`. */
  readonly movedAt: string | undefined;
  /** Undefined until they were verified. */
  readonly verified: VerifiedRows | undefined;
}

/** `/accounts/{id}/move`. @throws InvalidAccountIdError */
export function moveParameterName(accountId: string): string {
  // Checks the id, which is part of the name.
  accountPartition(accountId);
  return `/accounts/${accountId}/${moveParameter}`;
}

/** A partition of its own: no query of an account's rows finds it. @throws InvalidAccountIdError */
export function fencePartition(accountId: string): string {
  return `${accountPartition(accountId)}#FENCE`;
}

/** The key of the account's fence item, where the table's keys are `PK` and `SK`. @throws InvalidAccountIdError */
export function fenceKey(accountId: string): { readonly PK: string; readonly SK: string } {
  return { PK: fencePartition(accountId), SK: fenceSortKey };
}
export const fenceSortKey = 'FENCE';

/** What follows from a lease, in ms. */
export interface LeaseTimes {
  /** How long a router begins calls by what it asked SSM. */
  readonly useMs: number;
  /** How long after that question an answer of DynamoDB is taken without a second look. */
  readonly trustMs: number;
  /**
   * How old an answer of SSM may be. The mover lets this pass between its last change of an account's other parameters (`cloud-type`,
   * `dynamodb/*`), forth or back, and the removal of `move`.
   */
  readonly settleMs: number;
  /** What the mover lets pass between writing `move` and reading the first row. */
  readonly awaitMs: number;
}

/** 3/4 of the lease by a clock that is up to a tenth slow, and an answer that is an eighth old, are less than the lease. */
export function leaseTimes(leaseSeconds: number): LeaseTimes {
  const leaseMs = leaseSeconds * 1_000;
  return { useMs: leaseMs / 2, trustMs: (leaseMs * 3) / 4, settleMs: leaseMs / 8, awaitMs: leaseMs };
}

/**
 * @param value of the parameter {@link leaseParameterName}; undefined when there is none
 * @throws AccountParametersError when it is no whole number of seconds within {@link leaseBounds}
 */
export function parseLeaseSeconds(value: string | undefined): number {
  if (value === undefined) return defaultLeaseSeconds;
  const { leastSeconds, mostSeconds } = leaseBounds;
  const seconds = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (seconds >= leastSeconds && seconds <= mostSeconds) return seconds;
  throw new AccountParametersError(
    `${leaseParameterName} holds no whole number of seconds, of ${leastSeconds} to ${mostSeconds}`,
  );
}

/**
 * @param item as the document client reads it (strings, numbers, objects); undefined when there is none
 * @returns undefined when there is no item: no move, or none any more
 * @throws AccountParametersError when the item is no fence
 */
export function parseFence(item: Readonly<Record<string, unknown>> | undefined): Fence | undefined {
  if (item === undefined) return undefined;
  const text = (name: string) => textOf(name, item[name]);
  return {
    state: stateOf(item[fenceAttributes.state]),
    toTable: text(fenceAttributes.toTable),
    moveId: text(fenceAttributes.moveId),
    writers: writersOf(item[fenceAttributes.writers]),
    movedAt: item[fenceAttributes.movedAt] === undefined ? undefined : text(fenceAttributes.movedAt),
    verified: verifiedOf(item),
  };
}

function stateOf(value: unknown): FenceState {
  if (value === 'open' || value === 'closed' || value === 'moved') return value;
  throw wrong(fenceAttributes.state);
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw wrong(name);
  return value;
}

function writersOf(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(fenceAttributes.writers);
  const writers: Record<string, number> = {};
  for (const [id, at] of Object.entries(value)) {
    const madeAtMs = numberOf(at);
    if (madeAtMs === undefined) throw wrong(fenceAttributes.writers);
    writers[id] = madeAtMs;
  }
  return writers;
}

function verifiedOf(item: Readonly<Record<string, unknown>>): VerifiedRows | undefined {
  const { count, checksum } = fenceAttributes;
  if (item[count] === undefined && item[checksum] === undefined) return undefined;
  const rows = numberOf(item[count]);
  if (rows === undefined || !Number.isSafeInteger(rows) || rows < 0) throw wrong(count);
  return { count: rows, checksum: textOf(checksum, item[checksum]) };
}

/** The document client may be set to read numbers as bigint, or as an object with their text in `value`. */
function numberOf(given: unknown): number | undefined {
  const isWrapped = typeof given === 'object' && given !== null && 'value' in given && typeof given.value === 'string';
  const value = isWrapped ? given.value : given;
  if (typeof value !== 'number' && typeof value !== 'bigint' && !isWrapped) return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function wrong(attribute: string): AccountParametersError {
  return new AccountParametersError(`the fence item of the account has no ${attribute} that is one`);
}
