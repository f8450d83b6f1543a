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

it('a check on operations or steps is added by a file that looks at no rows while its lock keeps everybody out', () => {
  const big = later.filter(({ name }) => name > '0018');
  const adding = big.flatMap(({ name, sql }) =>
    statements(sql)
      .filter((s) => /alter table (operations|steps|events)\b[^;]*\bcheck\s*\(/.test(s))
      .map((statement) => ({ name, sql, statement })),
  );
  expect(adding.length).toBeGreaterThan(4);
  for (const { name, sql, statement } of adding) {
    expect(statement, name).toContain('not valid');
    expect(sql, name).not.toMatch(/validate constraint|^update (operations|steps|events)/m);
  }
});

it('no index of the health of tenants holds what every look changes, so that a look writes the row alone', () => {
  const indexes = later.flatMap(({ sql }) => statements(sql).filter((s) => /index \w+ on tenant_health\b/.test(s)));
  expect(indexes).toHaveLength(2);
  expect(indexes.join()).not.toMatch(/looked_at|round|result/);
});

it('every check that was added so is validated by a later file', () => {
  const named = (sql: string, pattern: RegExp) => [...sql.matchAll(pattern)].map(([, name = '']) => name);
  for (const [at, { sql }] of later.entries()) {
    const after = later.slice(at + 1).map((file) => file.sql);
    const validated = named(after.join(';'), /validate constraint (\w+)/g);
    expect(validated).toEqual(expect.arrayContaining(named(sql, /add constraint (\w+)\s+check [^;]*?not valid/g)));
  }
});
