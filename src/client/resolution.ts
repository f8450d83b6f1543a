import { blueprintProblems, type Blueprint } from '../contracts/blueprint.ts';
import { reserveNames } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { placeProblems } from '../products/place-problems.ts';
import type { BlueprintRequest, Product } from '../products/product.ts';
import { TemplateNotConfiguredError } from '../products/templates.ts';
import { RequestError } from './request-error.ts';

/** `notes` with the slug `pro-acme` and `notes-pro` with `acme` give the same names: the second one is refused. */
export async function reserveOrRefuse(
  tx: Queryable,
  kinds: KindRegistry,
  { steps, product }: Blueprint,
  { cell, tenantId, slug }: { cell: string; tenantId: string; slug: string },
): Promise<void> {
  const names = steps.flatMap((step) => kinds.physicalNames(step)).filter(({ type }) => isNamedBySlug(kinds, type));
  const [held] = await reserveNames(tx, { cell, tenantId, names });
  if (!held) return;
  const { type, name } = held;
  throw new RequestError(
    'SLUG_TAKEN',
    `the slug "${slug}" of product ${product} gives the ${type} name "${name}", which the tenant "${held.slug}" of product ${held.product} has`,
    { details: { product, slug, resource: { type, name }, holder: { product: held.product, slug: held.slug } } },
  );
}

function isNamedBySlug(kinds: KindRegistry, type: string): boolean {
  return kinds.sweptTypes.get(kinds.sweptTypeOf(type) ?? '')?.named === 'slug';
}

/** The blueprint of a tenant's request. @throws RequestError for what the platform description does not name; Error for one that cannot run */
export function resolveChecked(kinds: KindRegistry, product: Product, request: BlueprintRequest): Blueprint {
  const blueprint = resolveOrRefuse(() => product.resolve(request), product);
  const problems = blueprintProblems(blueprint, kinds);
  if (problems.length > 0) {
    throw new Error(
      `product ${product.name} resolved tenant ${request.tenantId} to a blueprint that cannot run: ${problems.join('; ')}`,
    );
  }
  const { cell, slug, loadBalancer } = request;
  const unreserved = placeProblems(kinds, product, blueprint, { cell, slug, loadBalancer });
  if (unreserved.length > 0) throw notProvisionable(product, unreserved.join('; '));
  return blueprint;
}

/** @throws RequestError for what the platform description does not name */
export function resolveOrRefuse(resolveIt: () => Blueprint, product: Product): Blueprint {
  try {
    return resolveIt();
  } catch (cause) {
    if (!(cause instanceof TemplateNotConfiguredError)) throw cause;
    throw notProvisionable(product, cause.message, cause);
  }
}

function notProvisionable({ name }: Product, why: string, cause?: unknown): RequestError {
  return new RequestError('UNKNOWN_PRODUCT', `the product ${name} cannot be provisioned here: ${why}`, { cause });
}
