import type { Blueprint } from '../contracts/blueprint.ts';
import { reserveNames } from '../db/allocations.ts';
import type { Queryable } from '../db/database.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { acceptanceProblems } from '../products/acceptance-problems.ts';
import type { BlueprintRequest, Product } from '../products/product.ts';
import { SettingsError } from '../products/settings.ts';
import { RequestError } from './request-error.ts';

/** `notes` with the slug `pro-acme` and `notes-pro` with `acme` give the same names: the second one is refused. */
export async function reserveOrRefuse(
  tx: Queryable,
  kinds: KindRegistry,
  blueprint: Blueprint,
  { cell, tenantId, slug }: { cell: string; tenantId: string; slug: string },
): Promise<void> {
  const { product } = blueprint;
  const [held] = await reserveNames(tx, { cell, tenantId, names: namesBySlug(kinds, blueprint) });
  if (!held) return;
  const { type, name } = held;
  throw new RequestError(
    'SLUG_TAKEN',
    `the slug "${slug}" of product ${product} gives the ${type} name "${name}", which the tenant "${held.slug}" of product ${held.product} has`,
    { details: { product, slug, resource: { type, name }, holder: { product: held.product, slug: held.slug } } },
  );
}

/** What of a blueprint has a name that its tenant's slug makes: no other tenant may have the same. */
export function namesBySlug(
  kinds: KindRegistry,
  { steps }: Blueprint,
): { readonly type: string; readonly name: string }[] {
  return steps.flatMap((step) => kinds.physicalNames(step)).filter(({ type }) => isNamedBySlug(kinds, type));
}

function isNamedBySlug(kinds: KindRegistry, type: string): boolean {
  return kinds.sweptTypes.get(kinds.sweptTypeOf(type) ?? '')?.named === 'slug';
}

/** The blueprint of a tenant's request. @throws RequestError for one that cannot run, or for what the platform description does not name */
export function resolveChecked(kinds: KindRegistry, product: Product, request: BlueprintRequest): Blueprint {
  const blueprint = resolveOrRefuse(() => product.resolve(request), product);
  const { cell, slug, tenantId, host, loadBalancer, isMoving } = request;
  const acceptance = { cell, slug, tenantId, host, loadBalancer, isMoving };
  const problems = acceptanceProblems(kinds, product, blueprint, acceptance);
  if (problems.length > 0) throw notProvisionable(product, problems.join('; '));
  return blueprint;
}

/** @throws RequestError for what the platform description does not name, and for a blueprint that fails */
export function resolveOrRefuse(resolveIt: () => Blueprint, product: Product): Blueprint {
  try {
    return resolveIt();
  } catch (cause) {
    if (cause instanceof SettingsError) throw cause;
    throw notProvisionable(product, messageOf(cause), cause);
  }
}

function notProvisionable({ name }: Product, why: string, cause?: unknown): RequestError {
  return new RequestError('UNKNOWN_PRODUCT', `the product ${name} cannot be provisioned here: ${why}`, { cause });
}

/** A mistake in the product's own code is told with its kind: its words alone may say nothing. */
function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `its blueprint threw ${String(cause)}`;
  const isPlain = cause instanceof TypeError || cause instanceof ReferenceError || cause.constructor === Error;
  return isPlain ? `its blueprint threw ${cause.name}: ${cause.message}` : cause.message;
}
