import { expect } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

/** The tenant's address answers over HTTPS, its backend from the tenant's own schema. */
export async function expectAnswering(world: ProcessWorld, { tenantId, slug }: Tenant): Promise<void> {
  const host = `${slug}.moamalat-pro.com`;
  const { status, body } = await askTenant(world.platform, host, '/api/tenant');
  const schema = `tenant_${tenantId.replaceAll('-', '')}`;
  expect({ host, status, body }).toMatchObject({ status: 200 });
  expect(JSON.parse(body)).toMatchObject({ tenantId, schema, user: schema });
  const page = await askTenant(world.platform, host, '/');
  expect({ host, status: page.status }).toEqual({ host, status: 200 });
}

/** The tenant is suspended: a notice answers in its place. */
export async function expectNotice({ platform }: ProcessWorld, { slug }: Tenant): Promise<void> {
  const host = `${slug}.moamalat-pro.com`;
  for (const path of ['/', '/api/tenant']) {
    const { status, body } = await askTenant(platform, host, path);
    expect({ host, path, status, body }).toMatchObject({
      status: 503,
      body: expect.stringContaining('suspended') as string,
    });
  }
}
