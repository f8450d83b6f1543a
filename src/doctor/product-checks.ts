import type { Blueprint } from '../contracts/blueprint.ts';
import type { Config } from '../config.ts';
import type { Cell } from '../contracts/platform.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { acceptanceProblems } from '../products/acceptance-problems.ts';
import { hostIn, isServed, resolveUnplaced } from '../products/places.ts';
import type { Product } from '../products/product.ts';
import { templateServiceOf } from '../products/templates.ts';
import { waysIntoTiers, type WayIntoTier } from '../products/ways-into-tiers.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import { tierChangeProblems } from './tier-checks.ts';

/**
 * Whether every product that the cell serves could be provisioned as the platform describes the cell, so that a
 * template that it does not name is found here and not by the first tenant (requirements R-PRE-02, 03). Asks nobody.
 */
export function checkProducts(cell: Cell, catalog: Catalog): Finding[] {
  const { products } = catalog;
  const names = [...new Set([...Object.keys(cell.domains), ...(cell.products ?? [])])];
  if (names.length === 0)
    return [problem(`cell ${cell.id}`, 'names no domain and lists no product: it serves no product')];
  return names.map((name) => {
    const subject = `cell ${cell.id}: product ${name}`;
    const product = Object.hasOwn(products, name) ? products[name] : undefined;
    if (!product) return warning(subject, `${placeOf(cell, name)}, but this installation has no such product`);
    if (!isServed(cell, product)) return warning(subject, `${placeOf(cell, name)}, ${whyNotServed(product)}`);
    const problems = [
      ...new Set([
        ...missingTemplates(product, cell),
        ...waysIntoTiers(product).flatMap((way) => problemsOf(catalog, product, cell, way)),
        ...changeProblems(catalog, product, cell),
      ]),
    ];
    const where = product.places.includes('host') ? ` for tenants below ${cell.domains[name] ?? ''}` : '';
    return problems.length === 0
      ? ok(subject, `can be resolved${where}`)
      : problem(subject, problems.join('; '), 'R-PRE-02', 'R-PRE-03');
  });
}

function placeOf({ domains }: Cell, name: string): string {
  return domains[name] === undefined ? 'is listed in `products`' : `has the domain ${domains[name]}`;
}

function whyNotServed({ places }: Product): string {
  return places.includes('host')
    ? 'but its tenants have hosts: give it a domain (`domains`)'
    : 'but its tenants have no host: list it in `products`';
}

/** Products that the cell serves, and whose provisioning is switched off by a variable. @param switchedOff the variable, by the product's name */
export function checkSwitches(cell: Cell, { products }: Catalog, switchedOff: Config['switchedOff']): Finding[] {
  return Object.entries(switchedOff).flatMap(([name, variable]) => {
    const product = Object.hasOwn(products, name) ? products[name] : undefined;
    if (!product || !isServed(cell, product)) return [];
    const said = `no tenant of it is made or changed: ${variable} is not true here. It counts where the API runs`;
    return [warning(`cell ${cell.id}: product ${name} is switched off`, said)];
  });
}

/** Said of every template that the product declares, whether or not a tier of today is cloned from it. */
function missingTemplates({ name, templates }: Product, cell: Cell): string[] {
  return Object.keys(templates).flatMap((component) => {
    try {
      templateServiceOf(cell, name, component);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}

function problemsOf({ kinds, migrations }: Catalog, product: Product, cell: Cell, way: WayIntoTier): string[] {
  try {
    const blueprint = preflightBlueprint(product, cell, way);
    const loadBalancer = product.places.includes('load-balancer') ? cell.loadBalancers[0] : undefined;
    const host = hostIn(cell, product, PREFLIGHT_SLUG);
    const { isMoving } = way;
    const tenant = { cell, slug: PREFLIGHT_SLUG, tenantId: PREFLIGHT_ID, host, loadBalancer, isMoving };
    const problems = acceptanceProblems(kinds, product, blueprint, tenant);
    if (problems.length === 0) checkFiles(blueprint, kinds, migrations);
    return problems;
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function changeProblems({ kinds }: Catalog, product: Product, cell: Cell): string[] {
  try {
    return tierChangeProblems(product, kinds, (way) => preflightBlueprint(product, cell, way));
  } catch {
    // Said of the blueprint that there is none of.
    return [];
  }
}

/** @throws StepError when a file that a step reads is not there, or would be refused */
function checkFiles({ steps }: Blueprint, { kinds }: KindRegistry, migrations: Catalog['migrations']): void {
  for (const { kind, spec } of steps) kinds.get(kind)?.checkFiles?.(spec, migrations);
}

/** The blueprints that a product's tenants would have in the cell, of each tier and change of tier; none where the cell cannot serve it. */
export function blueprintsOf(product: Product, cell: Cell): Blueprint[] {
  if (!isServed(cell, product)) return [];
  return waysIntoTiers(product).flatMap((way) => {
    try {
      return [preflightBlueprint(product, cell, way)];
    } catch {
      // Said by `checkProducts`.
      return [];
    }
  });
}

const PREFLIGHT_SLUG = 'preflight';
const PREFLIGHT_ID = '00000000-0000-4000-8000-000000000000';

function preflightBlueprint(product: Product, cell: Cell, way: WayIntoTier): Blueprint {
  return resolveUnplaced(product, cell, { tenantId: PREFLIGHT_ID, slug: PREFLIGHT_SLUG, ...way });
}
