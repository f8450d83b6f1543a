import { describe, expect, it } from 'vitest';
import { blueprintProblems, type Step } from '../../../src/contracts/blueprint.ts';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { stepsWithCredentials } from '../../../src/products/credentials.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { exampleCell } from '../../support/platform.ts';

const cell = exampleCell();
const request = {
  ...{ cell, loadBalancer: cell.loadBalancers[0]!, tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', slug: 'acme' },
  ...{ tier: null, host: 'acme.moamalat-pro.com' },
};
const first = moamalat.resolve(request).steps;
const second = moamalat.resolve({ ...request, credentials: 2 }).steps;
const of = (steps: readonly Step[], id: string) => steps.find((step) => step.id === id);

describe('the blueprint of a tenant whose credentials were rotated', () => {
  it('with the first ones is the one without any', () => {
    expect(moamalat.resolve({ ...request, credentials: 1 }).steps).toEqual(first);
  });

  it('may run, also while it is suspended', () => {
    for (const mode of ['active', 'suspended'] as const)
      expect(blueprintProblems(moamalat.resolve({ ...request, mode, credentials: 2 }), defaultCatalog.kinds)).toEqual(
        [],
      );
  });

  it('differs in who logs in, in the login, and in the revocation that comes last', () => {
    const changed = second.filter((step) => JSON.stringify(step) !== JSON.stringify(of(first, step.id)));
    expect(changed.map(({ id }) => id)).toEqual([
      'create_login:2',
      'create_task_definition:backend',
      'finalize',
      'revoke_password:2',
    ]);
    const { environment, secrets } = of(second, 'create_task_definition:backend')!.spec as Record<string, object>;
    expect(environment).toMatchObject({
      DB_USER: { ref: 'create_login:2.role' },
      DB_SCHEMA: { ref: 'create_schema.schema' },
      DB_HOST: { ref: 'create_schema.host' },
    });
    expect(secrets).toEqual({ DB_PASSWORD: { ref: 'create_login:2.secretArn' } });
    expect(of(second, 'revoke_password:2')?.needs).toEqual(
      expect.arrayContaining(['create_schema', 'deploy_backend', 'deploy_frontend']),
    );
    expect(of(second, 'finalize')?.needs).toContain('revoke_password:2');
  });

  it('has another login for each schema that is logged in to, and none where nobody is', () => {
    const schema = (id: string): Step => ({ id, kind: 'postgres-schema', needs: [], spec: { database: id } });
    const user = (id: string, of: string): Step => ({
      ...{ id, kind: 'task-definition', needs: [of] },
      spec: { environment: { ref: 'a text', user: { ref: `${of}.role` } }, secrets: [{ ref: `${of}.secretArn` }] },
    });
    const steps = [schema('one'), schema('two'), schema('idle'), user('a', 'one'), user('b', 'two')];
    const rotated = stepsWithCredentials({ credentials: 3 }, steps);
    expect(rotated.map(({ id }) => id)).toEqual([
      ...['one', 'create_login:3', 'two', 'create_login:3:two', 'idle', 'a', 'b'],
      ...['revoke_password:3', 'revoke_password:3:two'],
    ]);
    expect(of(rotated, 'b')).toMatchObject({
      needs: ['two', 'create_login:3:two'],
      spec: {
        environment: { ref: 'a text', user: { ref: 'create_login:3:two.role' } },
        secrets: [{ ref: 'create_login:3:two.secretArn' }],
      },
    });
    const alone = [schema('idle')];
    expect(stepsWithCredentials({ credentials: 3 }, alone)).toEqual(alone);
  });
});
