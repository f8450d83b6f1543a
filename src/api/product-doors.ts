import type { FastifyInstance } from 'fastify';
import type { TenantryClient } from '../client/tenantry.ts';
import { systemCaller } from '../process-caller.ts';
import { accountsDoor } from './accounts/routes.ts';

/** Routes that a product has besides those of all tenants. */
export interface ProductDoor {
  /** They are served where the catalog has it. */
  readonly product: string;
  /** Of its routes in the description. */
  readonly tag: { readonly name: string; readonly description: string };
  readonly register: (app: FastifyInstance, deps: { readonly client: TenantryClient }) => Promise<void>;
}

/** The one place of the API that knows which products have doors of their own. */
const doors: readonly ProductDoor[] = [accountsDoor];

/** Of the products of this installation. */
export function doorsOf(client: TenantryClient): ProductDoor[] {
  const names = client.products(systemCaller('api')).map(({ name }) => name);
  return doors.filter(({ product }) => names.includes(product));
}
