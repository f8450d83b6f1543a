import { z } from 'zod';
import { time } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** The time as PostgreSQL has it: what one worker notes and another one judges goes by this, since their clocks differ. */
export async function readClock(db: Queryable): Promise<Date> {
  const [row] = rowsOf(z.object({ now: time }), await db.query('select clock_timestamp() as now'));
  if (!row) throw new RangeError('PostgreSQL did not tell the time');
  return row.now;
}
