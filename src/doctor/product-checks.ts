import { blueprintProblems, type Blueprint } from '../contracts/blueprint.ts';
import type { Cell } from '../contracts/platform.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { Product } from '../products/product.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

/**
 * Whether every product that the cell has a domain for could be provisioned as the platform describes the cell, so that a
 * template that it does not name is found here and not by the first tenant (requirements R-PRE-02, 03). Asks nobody.
 */
export function checkProducts(cell: Cell, { products, kinds }: Catalog): Finding[] {
  const domains = Object.entries(cell.domains);
  if (domains.length === 0) return [problem(`cell ${cell.id}`, 'names no domain: it serves no product')];
  return domains.map(([name, domain]) => {
    const subject = `cell ${cell.id}: product ${name}`;
    const product = Object.hasOwn(products, name) ? products[name] : undefined;
    if (!product) return warning(subject, `has the domain ${domain}, but this installation has no such product`);
    const problems = tiersOf(product).flatMap((tier) => problemsOf(kinds, product, cell, domain, tier));
    return problems.length === 0
      ? ok(subject, `can be resolved for tenants below ${domain}`)
      : problem(subject, problems.join('; '), 'R-PRE-02', 'R-PRE-03');
  });
}

function tiersOf({ tiers }: Product): readonly (string | null)[] {
  return tiers.length === 0 ? [null] : tiers;
}

function problemsOf(kinds: KindRegistry, product: Product, cell: Cell, domain: string, tier: string | null): string[] {
  try {
    const blueprint = preflightBlueprint(product, cell, domain, tier);
    const problems = blueprintProblems(blueprint, kinds);
    if (problems.length === 0) checkFiles(blueprint, kinds);
    return problems;
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** @throws StepError when a file that a step reads is not there, or would be refused */
function checkFiles({ steps }: Blueprint, { kinds }: KindRegistry): void {
  for (const { kind, spec } of steps) kinds.get(kind)?.checkFiles?.(spec);
}

/** The blueprints that a product's tenants would have in the cell, a tier each; none where the cell cannot serve it. */
export function blueprintsOf(product: Product, cell: Cell): Blueprint[] {
  const domain = cell.domains[product.name];
  if (domain === undefined) return [];
  return tiersOf(product).flatMap((tier) => {
    try {
      return [preflightBlueprint(product, cell, domain, tier)];
    } catch {
      // Said by `checkProducts`.
      return [];
    }
  });
}

function preflightBlueprint(product: Product, cell: Cell, domain: string, tier: string | null): Blueprint {
  const [loadBalancer] = cell.loadBalancers;
  if (!loadBalancer) throw new Error('the cell names no load balancer');
  const tenant = { tenantId: '00000000-0000-4000-8000-000000000000', slug: 'preflight', host: `preflight.${domain}` };
  return product.resolve({ cell, loadBalancer, tier, ...tenant });
}
