import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPlacement } from '../../src/db/allocations.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { exampleCell } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

const [template] = exampleCell().loadBalancers as [ReturnType<typeof exampleCell>['loadBalancers'][number]];
const balancer = (name: string) => ({ ...template, arn: `${template.arn}-${name}`, dnsName: `${name}.example` });
const cellOf = (id: string, loadBalancers: string[], domain: Record<string, string>) =>
  exampleCell({
    id,
    loadBalancers: loadBalancers.map(balancer),
    domains: domain,
    hostedZone: { id: `Z-${id}`, name: `${id}.example`, drainSeconds: 60 },
  });

let api: ApiFixture;
beforeAll(async () => {
  const cells = [
    cellOf('first', ['a', 'b'], { moamalat: 'first.example' }),
    cellOf('second', ['c'], { moamalat: 'second.example' }),
    cellOf('other', ['d'], { somethingelse: 'other.example' }),
  ];
  const closed = { ...cellOf('closed', ['e'], { moamalat: 'closed.example' }), acceptsTenants: false };
  api = await createApiFixture({ platform: { version: 1, cells: [closed, ...cells] } });
});
afterAll(() => api.close());

let counter = 0;
async function create(body: object = {}) {
  const payload = { ...acme, slug: `placed-${(counter += 1)}`, ...body };
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
  const { tenantId, error } = answer.json<{
    tenantId: string;
    error?: { code: string; message: string; details: { cells?: string[]; fields?: { field: string }[] } };
  }>();
  const tenant = error ? undefined : await findTenant(api.database, tenantId);
  const loadBalancer = tenant && (await findPlacement(api.database, tenant.id))?.replace(`${template.arn}-`, '');
  return { status: answer.statusCode, error, cell: tenant?.cell, host: tenant?.hostName, loadBalancer };
}
/** Leaves room for so many tenants on a load balancer. */
async function fill(cell: string, name: string, room: number) {
  await api.database.query(`delete from allocations where kind = 'load-balancer' and key = 'filler' and scope = $1`, [
    balancer(name).arn,
  ]);
  await api.database.query(
    `insert into allocations (cell, kind, scope, key, rules, target_groups)
     select $1, 'load-balancer', $2::text, 'filler', 100 - 3 * $3::int - coalesce(sum(rules), 0), 0
     from allocations where kind = 'load-balancer' and scope = $2`,
    [cell, balancer(name).arn, room],
  );
}

describe('a tenant for which no cell is named', () => {
  it('goes to the first cell that serves its product, on the load balancer with most room', async () => {
    await fill('first', 'a', 5);
    await fill('first', 'b', 7);
    expect(await create()).toMatchObject({ status: 202, cell: 'first', loadBalancer: 'b' });
  });

  it('goes to the next cell that serves it once the first is full', async () => {
    await fill('first', 'a', 0);
    await fill('first', 'b', 0);
    expect(await create()).toMatchObject({ status: 202, cell: 'second', host: `placed-${counter}.second.example` });
  });
});

describe('a tenant for which a cell is named', () => {
  it('goes there, though the first one has room', async () => {
    await fill('first', 'a', 5);
    await fill('second', 'c', 5);
    expect(await create({ cell: 'second' })).toMatchObject({ status: 202, cell: 'second', loadBalancer: 'c' });
  });

  it('is refused when that is full, and never goes to another', async () => {
    await fill('second', 'c', 0);
    const { status, error } = await create({ cell: 'second' });
    expect([status, error?.code, error?.details.cells]).toEqual([503, 'CELL_FULL', ['second']]);
    expect(error?.message).toContain('in cell second');
  });

  it('is refused when that takes no tenants; what serves the product does not name it', async () => {
    const { status, error } = await create({ cell: 'closed' });
    expect([status, error?.code, error?.details.cells]).toEqual([409, 'CELL_CLOSED', ['closed']]);
    const products = (await api.app.inject('/api/v1/products')).json<{
      products: { name: string; cells: string[] }[];
    }>();
    expect(products.products.find(({ name }) => name === 'moamalat')?.cells).toEqual(['first', 'second']);
  });

  it('is refused when there is no such cell', async () => {
    const { status, error } = await create({ cell: 'nowhere' });
    expect([status, error?.code, error?.details.fields?.[0]?.field]).toEqual([400, 'INVALID_INPUT', 'body.cell']);
    expect(error?.message).toContain('the product is served in first, second');
  });

  it('is refused when that does not serve the product, and told which does', async () => {
    const { error } = await create({ cell: 'other' });
    expect([error?.code, error?.details.cells]).toEqual(['UNKNOWN_PRODUCT', ['first', 'second']]);
  });
});
