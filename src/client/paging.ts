import { InvalidCursorError } from '../db/page-cursor.ts';
import { invalid } from './invalid-input.ts';

/** @throws RequestError INVALID_INPUT for a cursor that does not fit the list */
export async function refusingCursors<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof InvalidCursorError)) throw cause;
    throw invalid([{ field: 'querystring.cursor', problem: cause.message }], { cause });
  }
}
