import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Database, Queryable } from '../../src/db/database.ts';
import { listTenants, type TenantListRequest } from '../../src/db/tenant-list.ts';
import { useControlDatabase } from '../support/database.ts';

const TENANTS = 10_000;
let db: Database;
useControlDatabase((database) => (db = database));

beforeAll(async () => {
  await db.query(
    `insert into tenants (id, product, slug, display_name, contact_email, cell, status, created_by, created_at, updated_at)
     select gen_random_uuid(), (array['moamalat', 'mate'])[1 + i % 2], 't-' || i, 'Customer ' || md5(i::text), 'it@' || md5('m' || i) || '.example',
       'default', 'active', 'creator ' || i % 100, now() - i * interval '1 minute', now() - (i * 7919 % ${TENANTS}) * interval '1 minute'
     from generate_series(1, ${TENANTS}) i`,
  );
  await db.query(
    `insert into tenant_health (tenant_id, cell, status, since, result, results, round, looked_at)
     select id, 'default', v, now(), v, 3, now(), now()
     from (select id, case when right(slug, 3) = '777' then 'unhealthy' else 'healthy' end as v from tenants) t`,
  );
  await db.query(
    `insert into drift_looks (tenant_id, cell, outcome) select id, 'default', case when right(slug, 3) = '777' then 'drift' else 'none' end from tenants`,
  );
  await db.query('analyze tenants, tenant_health, drift_looks, tenant_texts, operations');
});

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string | undefined;
  readonly 'Index Name'?: string | undefined;
  readonly 'Actual Rows'?: number | undefined;
  readonly 'Actual Loops'?: number | undefined;
  readonly Plans?: readonly Node[] | undefined;
}
const node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    'Node Type': z.string(),
    'Relation Name': z.string().optional(),
    'Index Name': z.string().optional(),
    'Actual Rows': z.number().optional(),
    'Actual Loops': z.number().optional(),
    Plans: z.array(node).optional(),
  }),
);
const explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: node })]) })]);
const all = (one: Node): Node[] => [one, ...(one.Plans ?? []).flatMap(all)];

/** What PostgreSQL does for a page, with the values that it is asked with. */
async function planOf(request: Partial<TenantListRequest>): Promise<{ nodes: Node[]; indexes: string[] }> {
  let plan: Node | undefined;
  const explaining: Queryable = {
    query: async (text, values) => {
      const answer = await db.query(`explain (analyze, costs off, timing off, format json) ${text}`, values);
      plan = explained.parse(answer.rows)[0]['QUERY PLAN'][0].Plan;
      return { rows: [], rowCount: 0 };
    },
  };
  await listTenants(explaining, { limit: 50, ...request });
  const nodes = all(plan!);
  return { nodes, indexes: nodes.flatMap((one) => one['Index Name'] ?? []) };
}
async function secondPage(request: Partial<TenantListRequest>) {
  const { nextCursor } = await listTenants(db, { limit: 50, ...request });
  return planOf({ ...request, cursor: nextCursor });
}

describe('a page of 10,000 tenants', () => {
  it.each([
    ['-createdAt', 'tenants_present'],
    ['createdAt', 'tenants_present'],
    ['slug', 'tenants_by_slug_and_id'],
    ['-slug', 'tenants_by_slug_and_id'],
    ['updatedAt', 'tenants_by_update'],
    ['-updatedAt', 'tenants_by_update'],
  ] as const)('by %s goes along an index, from where its cursor says', async (sort, index) => {
    for (const { nodes, indexes } of [await planOf({ sort }), await secondPage({ sort })]) {
      expect(indexes).toContain(index);
      expect(
        nodes.filter((one) => one['Node Type'].includes('Sort') && !one['Node Type'].startsWith('Incremental')),
      ).toEqual([]);
      expect(nodes.filter((one) => one['Node Type'] === 'Seq Scan' && one['Relation Name'] === 'tenants')).toEqual([]);
      const rows = nodes
        .filter((one) => one['Relation Name'] === 'tenants')
        .map((one) => (one['Actual Rows'] ?? 0) * (one['Actual Loops'] ?? 0));
      expect(Math.max(...rows)).toBeLessThan(120);
    }
  });

  it('with a text in it is found by what it holds', async () => {
    const [{ slug, hash }] = z
      .tuple([z.object({ slug: z.string(), hash: z.string() })])
      .parse(
        (await db.query(`select slug, substr(display_name, 15, 12) as hash from tenants where slug = 't-4711'`)).rows,
      );
    const { tenants } = await listTenants(db, { limit: 50, text: hash });
    expect(tenants.map((one) => one.slug)).toEqual([slug]);
    const { indexes, nodes } = await planOf({ text: hash });
    expect(indexes).toContain('tenant_texts_grams');
    const whole = nodes.filter((one) => one['Node Type'] === 'Seq Scan').map((one) => one['Relation Name']);
    expect(whole.filter((name) => name !== 'operations')).toEqual([]);
  });

  it('of few that are not healthy, or not as applied, is found by that', async () => {
    const { indexes } = await planOf({ health: ['unhealthy'] });
    expect(indexes).toContain('tenant_health_not_healthy');
    expect((await listTenants(db, { limit: 50, health: ['unhealthy'] })).tenants).toHaveLength(10);
    expect((await listTenants(db, { limit: 50, drift: 'yes' })).tenants).toHaveLength(10);
  });

  it('of what one caller made goes along an index of that', async () => {
    const { indexes } = await planOf({ reach: { createdBy: 'creator 7' } });
    expect(indexes).toContain('tenants_by_creator');
  });
});
