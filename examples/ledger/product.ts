import { defineProduct, postgresSchema, slugReservation, tenantActivation } from 'tenantry';

/** Ledger: a schema that the customer's own systems connect to. Nothing answers, so it has neither host nor load balancer. */
export const ledger = defineProduct({
  name: 'ledger',
  places: [],
  migrations: new URL('./migrations/', import.meta.url),
  blueprint: ({ tenant, cell, step }) => [
    step(slugReservation, { id: 'validate', needs: [], spec: { slug: tenant.slug, templateServices: [] } }),
    step(postgresSchema, {
      id: 'create_schema',
      needs: ['validate'],
      rereads: true,
      spec: { database: cell.tenantDatabases[0]?.id ?? 'primary', migrations: 'ledger', connectionLimit: 10 },
    }),
    step(tenantActivation, { id: 'finalize', needs: ['create_schema'], spec: {} }),
  ],
});
