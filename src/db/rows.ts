import type { z } from 'zod';

/** Checks each row against a schema: the one place where what PostgreSQL answered becomes a type. @throws z.ZodError */
export function rowsOf<S extends z.ZodType>(schema: S, answer: { readonly rows: readonly unknown[] }): z.output<S>[] {
  return answer.rows.map((row) => schema.parse(row));
}

/** The only row, checked; undefined when there is none. @throws z.ZodError */
export function rowOf<S extends z.ZodType>(
  schema: S,
  answer: { readonly rows: readonly unknown[] },
): z.output<S> | undefined {
  const [row] = answer.rows;
  return row === undefined ? undefined : schema.parse(row);
}
