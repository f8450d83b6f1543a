import { strict as assert } from 'node:assert';
import { AwsCaller } from '../../sandbox/inventory/aws/caller.ts';
import type { Bench } from '../bench.ts';
import { secretPartsOf, secretsIn, type Secret } from '../sent-secrets.ts';
import type { StepDriver } from '../tenant.ts';
import { expectGone, made, type ConformanceCase } from './case.ts';

/** Columns of whole rows: outputs, details, failures, blueprints and events are all in them. */
const tables = ['steps', 'ledger', 'events', 'operations', 'tenants'];

export const secretCase: ConformanceCase = {
  name: 'writes no secret into outputs, ledger, events or log',
  async run(bench) {
    const { logged, tap } = bench.stand;
    const sent: (Secret & { readonly operationId: string | undefined })[] = [];
    const stop = tap.watch((call) => {
      sent.push(...secretsIn(call).map((secret) => ({ ...secret, operationId: call.caller.operationId })));
    });
    const driver = await made(bench);
    const stored = await storedSecrets(bench, driver);
    await expectGone(bench, driver);
    stop();
    const own = sent.filter(({ operationId }) => operationId === driver.tenant.operationId);
    const written = [...(await rowsOf(bench, driver)), ...logged];
    for (const { name, value } of [...stored, ...stored.flatMap(secretPartsOf), ...own])
      assert.ok(!written.some((text) => holds(text, value)), `the value of ${name} is in the database or the log`);
  },
};

/** As it is, or as JSON writes it. */
function holds(text: string, value: string): boolean {
  return text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1));
}

/** What Secrets Manager holds for the tenant. */
async function storedSecrets({ stand }: Bench, { tenant }: StepDriver): Promise<Secret[]> {
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
