import { strict as assert } from 'node:assert';
import { AwsCaller } from '../../sandbox/inventory/aws/caller.ts';
import type { Bench } from '../bench.ts';
import type { StepDriver } from '../tenant.ts';
import { expectGone, made, type ConformanceCase } from './case.ts';

/** Columns of whole rows: outputs, details, failures, blueprints and events are all in them. */
const tables = ['steps', 'ledger', 'events', 'operations', 'tenants'];

export const secretCase: ConformanceCase = {
  name: 'writes no secret into outputs, ledger, events or log',
  async run(bench) {
    const driver = await made(bench);
    const secrets = await secretsOf(bench, driver);
    await expectGone(bench, driver);
    const written = [...(await rowsOf(bench, driver)), ...bench.stand.logged];
    for (const { name, value } of secrets)
      assert.ok(!written.some((text) => text.includes(value)), `the value of ${name} is in the database or the log`);
  },
};

async function secretsOf({ stand }: Bench, { tenant }: StepDriver): Promise<{ name: string; value: string }[]> {
  const { cell, gateway, oracle } = stand;
  const caller = new AwsCaller(gateway.url, { accountId: cell.accountId, region: cell.region });
  const items = (await oracle.itemsOf(tenant)).filter(({ kind }) => kind === 'secretsmanager:secret');
  return Promise.all(
    items.map(async ({ id, name = id }) => {
      const target = 'secretsmanager.GetSecretValue';
      const answer = await caller.read({
        protocol: 'json',
        service: 'secretsmanager',
        target,
        input: { SecretId: id },
      });
      return { name, value: answer.text('SecretString') };
    }),
  );
}

async function rowsOf({ stand }: Bench, { tenant }: StepDriver): Promise<string[]> {
  const found = await Promise.all(
    tables.map(async (table) => {
      const of = table === 'tenants' ? 'id' : 'tenant_id';
      const { rows } = await stand.database.query<{ text: string }>(
        `select row_to_json(t)::text as text from ${table} t where ${of} = $1`,
        [tenant.id],
      );
      return rows.map(({ text }) => text);
    }),
  );
  return found.flat();
}
