import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { SweptType } from '../../src/kinds/framework/resource-type.ts';
import type { SampleTenant } from '../tenant.ts';

type Tenant = Pick<SampleTenant, 'id' | 'slug' | 'host'> & { readonly installationId: string };

/** The sweep believes a mark only where the name fits it: marks can be copied. */
export function expectOwnName({ named }: SweptType, name: string, { installationId, id, slug, host }: Tenant): void {
  if (typeof named === 'string') {
    const part = named === 'slug' ? slug : (host ?? slug);
    assert.ok(name.includes(part), `${name} does not hold the ${named} that its type is named by`);
    return;
  }
  const owner = { installationId, tenantId: id };
  assert.ok(named.pattern.test(name), `${name} does not match the pattern of its type`);
  assert.ok(named.isOf(name, owner), `${name} is not taken for its own tenant's`);
  assert.ok(!named.isOf(name, { ...owner, tenantId: randomUUID() }), `${name} is taken for another tenant's`);
  for (const foreign of foreignNames) {
    assert.ok(!named.pattern.test(foreign), `"${foreign}" matches the pattern of the type`);
    assert.ok(!named.isOf(foreign, owner), `"${foreign}" is taken for the tenant's`);
  }
}

const foreignNames = ['somebody-elses', 'production', '/other/product-1'];
