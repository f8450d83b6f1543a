import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runbookCommands } from '../support/runbook.ts';

let test: TestDatabase;
let databases: Record<string, Database>;
beforeAll(async () => {
  test = await createTestDatabase();
  await migrate(test.controlUrl);
  databases = {
    DATABASE_URL: createDatabase({ url: test.controlUrl }),
    TENANT_DATABASE_URL: createDatabase({ url: test.tenantUrl }),
  };
});
afterAll(async () => {
  for (const database of Object.values(databases)) await database.close();
  await test.drop();
});

const placeholders: Readonly<Record<string, string>> = {
  tenantId: '00000000-0000-4000-8000-000000000001',
  operationId: '00000000-0000-4000-8000-000000000002',
  tenantIdWithoutHyphens: '00000000000040008000000000000001',
  mailId: '1',
  slug: 'acme',
};

const statements = runbookCommands().flatMap((line) => {
  const [, variable = '', sql = ''] = /^psql "\$(\w+)" -c "(.*)"$/.exec(line) ?? [];
  return variable === '' ? [] : [{ variable, sql }];
});

describe('the SQL of the runbook', () => {
  it('is in lines that this test can read', () => {
    expect(statements.length).toBeGreaterThan(10);
    expect(statements).toHaveLength(runbookCommands().filter((line) => line.startsWith('psql')).length);
  });

  it.each(statements)('$sql runs', async ({ variable, sql }) => {
    const filled = sql.replace(/<(\w+)>/g, (_all, name: string) => {
      expect(placeholders).toHaveProperty(name);
      return placeholders[name] ?? '';
    });
    await databases[variable]?.query(filled);
    expect(databases).toHaveProperty(variable);
  });
});
