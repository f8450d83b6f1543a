import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import {
  difference,
  isOfTenant,
  only,
  renderDifference,
  withoutResidues,
  type InventoryItem,
} from '../../sandbox/inventory/inventory.ts';
import { startSystem, type System } from './system.ts';

const config = fileURLToPath(new URL('./configs/examples.config.ts', import.meta.url));

let system: System;
let before: readonly InventoryItem[];
beforeAll(async () => {
  system = await startSystem({ TENANTRY_CONFIG: config });
  before = await system.inventory();
}, 180_000);
afterAll(() => system.stop());

const create = (product: string, tier: string | undefined, slug: string) =>
  system.api.create({ product, tier, slug, displayName: slug, contactEmail: `admin@${slug}.example` });

describe('the products of examples/, whose modules import only tenantry', () => {
  it('are what the sandbox seeds its landing zone for, and nothing else', async () => {
    const [cell] = system.parts.platform.cells;
    expect(cell).toMatchObject({
      templateServices: { notes: { app: 'notes-template-app' } },
      domains: { notes: 'notes.sandbox.example' },
      products: ['ledger'],
    });
    const { products } = await system.api.products();
    expect(products.map(({ name, tiers }) => [name, tiers])).toEqual([
      ['ledger', []],
      ['notes', ['free', 'team']],
    ]);
  });

  it('live and go: notes in each tier with its queue, ledger without a host', async () => {
    const free = await create('notes', 'free', 'acme');
    const team = await create('notes', 'team', 'globex');
    const ledger = await create('ledger', undefined, 'acme');
    const tenants = [free, team, ledger];
    for (const { tenantId } of tenants) {
      const { error, status } = await system.until(tenantId, 'succeeded', 'holding');
      expect({ error, status }).toEqual({ error: undefined, status: 'active' });
    }
    for (const { tenantId, tenantUrl } of [free, team]) {
      const host = new URL(tenantUrl ?? '').host;
      const answer = await askTenant(system.parts.platform, host, '/api/tenant');
      expect(JSON.parse(answer.body)).toMatchObject({
        tenantId,
        tables: expect.arrayContaining(['notes']) as string[],
      });
    }
    expect(ledger.tenantUrl).toBeNull();
    expect((await system.api.get(ledger.tenantId)).tenantUrl).toBeNull();

    const between = await system.inventory();
    const kindsOf = (tenantId: string) => only(between, isOfTenant({ tenantId })).map(({ kind }) => kind);
    expect(kindsOf(free.tenantId)).toContain('sqs:queue');
    expect(kindsOf(team.tenantId).filter((kind) => kind === 'ecs:task')).toHaveLength(2);
    const services = new Set(kindsOf(ledger.tenantId).map((kind) => kind.split(':')[0]));
    expect([...services].sort()).toEqual(['postgres', 'secretsmanager']);

    await system.api.delete(free.tenantId, 'acme');
    await system.api.delete(team.tenantId, 'globex');
    await system.api.delete(ledger.tenantId, 'acme');
    for (const { tenantId } of tenants) {
      expect(await system.until(tenantId, 'succeeded', 'stuck')).toMatchObject({ status: 'deleted' });
    }
    expect(renderDifference(withoutResidues(difference(before, await system.inventory())))).toBe('');
  });
});
