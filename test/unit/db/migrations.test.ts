import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readMigrations } from '../../../src/db/migrate.ts';

const files = readMigrations(fileURLToPath(new URL('../../../migrations', import.meta.url)));
/** Those of before ran when nobody had many events. */
const later = files.filter(({ name }) => name > '0012');
const statements = (sql: string) => sql.replaceAll(/--.*$/gm, '').split(';');

it('a check on events is added without looking at the rows, which everybody would wait for', () => {
  const checks = later.flatMap(({ sql }) =>
    statements(sql).filter((s) => /alter table events\b[^;]*\bcheck\b/.test(s)),
  );
  expect(checks).toHaveLength(1);
  for (const statement of checks) expect(statement).toContain('not valid');
});

it('every check that was added so is validated by a later file', () => {
  const named = (sql: string, pattern: RegExp) => [...sql.matchAll(pattern)].map(([, name = '']) => name);
  for (const [at, { sql }] of later.entries()) {
    const after = later.slice(at + 1).map((file) => file.sql);
    const validated = named(after.join(';'), /validate constraint (\w+)/g);
    expect(validated).toEqual(expect.arrayContaining(named(sql, /add constraint (\w+) check [^;,]*not valid/g)));
  }
});
