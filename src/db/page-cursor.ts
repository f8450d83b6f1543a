import { createHash } from 'node:crypto';
import { z } from 'zod';
import { stableJson } from '../contracts/stable-json.ts';

/** A cursor that no page of this list ended with. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError';
}

/** A list whose pages follow each other. */
export interface PagedList {
  /** What it is of, for people, such as `tenants`. */
  readonly of: string;
  /** Its filters and its order: a cursor of one that has others does not fit. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** The last entry of a page, by what the list is sorted by. */
type Position = readonly (string | number)[];

const cursorShape = z.tuple([z.string(), z.string(), z.array(z.union([z.string(), z.number()]))]);

/** Opaque: callers give it back as it came. */
export function cursorAfter(list: PagedList, position: Position): string {
  const filters = digest(list);
  return encoded([filters, checkOf(filters, position), position]);
}

/** Where the page after a cursor begins. @throws InvalidCursorError */
export function positionIn<T>(list: PagedList, cursor: string, shape: z.ZodType<T>): T {
  const unknown = (cause?: unknown) =>
    new InvalidCursorError(`the cursor is not one that a page of ${list.of} ended with`, { cause });
  const { data, error } = cursorShape.safeParse(decoded(cursor));
  // Decoding is lenient: one cursor has one form.
  if (!data || encoded(data) !== cursor) throw unknown(error);
  const [filters, check, position] = data;
  if (check !== checkOf(filters, position)) throw unknown();
  if (filters !== digest(list))
    throw new InvalidCursorError(
      'the cursor belongs to another list, or one with other filters or another order: begin it without a cursor',
    );
  const parsed = shape.safeParse(position);
  if (!parsed.success) throw unknown(parsed.error);
  return parsed.data;
}

/** A time with microseconds, as {@link shownTime} has it. Only those that exist: PostgreSQL would fail at others, the year 0 among them. */
export const timePosition = z.iso.datetime({ precision: 6 }).refine((time) => !time.startsWith('0000'));

/** A column's time for a cursor, with the microseconds that a Date would lose. */
export const shownTime = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

function encoded(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function digest({ of, given }: PagedList): string {
  return short(stableJson([of, given]));
}

/** Tells one that was changed on its way. It keeps no secret: what a caller reaches is no matter of cursors. */
function checkOf(filters: string, position: Position): string {
  return short(JSON.stringify([filters, position]));
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
