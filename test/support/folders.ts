import { defineProduct } from '../../src/products/define-product.ts';
import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import { ssmParameters } from '../../src/kinds/ssm-parameters/kind.ts';
import { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';

export const transientSteps = ['fence', 'tell', 'switch'];

/** A product whose tenants may change their tier: what holds their data before is dropped once the switch is thrown. */
export const folders = productNamed('folders', ['rows']);

/** One that would leave the tenant's data behind: nothing on the way takes it elsewhere. */
export const careless = productNamed('careless', []);

function productNamed(name: string, brought: readonly string[]) {
  return defineProduct({
    name,
    tiers: ['shared', 'own'],
    tierChanges: [{ from: 'shared', to: 'own' }],
    places: [],
    migrations: new URL('../../examples/ledger/migrations/', import.meta.url),
    blueprint({ tenant, tier, cameFrom, isMoving, cell, step }) {
      const path = (part: string) => `/${name}/${tenant.id}/${part}/`;
      const parameters = (id: string, value: string) => ({
        ...{ id, spec: { path: path(id), parameters: { value: {} }, values: { value } } },
      });
      const group = (id: string, retentionDays: number) => ({
        ...{ id, spec: { name: `/ecs/${name}-${tenant.slug}-${id}`, retentionDays } },
      });
      const isOwn = tier === 'own';
      const first = step(slugReservation, {
        ...{ id: 'validate', needs: [], spec: { slug: tenant.slug, templateServices: [] } },
      });
      const transient = { transient: true } as const;
      const onTheWay = [
        step(ssmParameters, { ...parameters('fence', 'open'), needs: ['table'], removeAfter: ['rows'], ...transient }),
        step(logGroup, { ...group('tell', 1), needs: ['fence'], ...transient }),
        step(ssmParameters, { ...parameters('switch', 'closed'), needs: ['tell', ...brought], ...transient }),
      ];
      const holding = isOwn
        ? step(logGroup, { ...group('table', cameFrom === null ? 1 : 7), needs: ['validate'] })
        : step(postgresSchema, {
            ...{ id: 'rows', needs: ['mark'], rereads: true },
            spec: { database: cell.tenantDatabases[0]?.id ?? 'primary', migrations: name, connectionLimit: 5 },
          });
      return [
        first,
        holding,
        ...(isMoving ? onTheWay : []),
        step(ssmParameters, { ...parameters('mark', tier), needs: isMoving ? ['switch'] : ['validate'] }),
        step(tenantActivation, { id: 'finalize', needs: ['mark', holding.id], spec: {} }),
      ];
    },
  });
}
