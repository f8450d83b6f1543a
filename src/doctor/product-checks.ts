import { blueprintProblems, type Blueprint } from '../contracts/blueprint.ts';
import type { Cell } from '../contracts/platform.ts';
import { tenantMigrationFiles } from '../db/tenant-migrations.ts';
import type { Product } from '../products/product.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

/**
 * Whether every product that the cell has a domain for could be provisioned as the platform describes the cell, so that a
 * template that it does not name is found here and not by the first tenant (requirements R-PRE-02, 03). Asks nobody.
 */
export function checkProducts(cell: Cell, products: Readonly<Record<string, Product>>): Finding[] {
  const domains = Object.entries(cell.domains);
  if (domains.length === 0) return [problem(`cell ${cell.id}`, 'names no domain: it serves no product')];
  return domains.map(([name, domain]) => {
    const subject = `cell ${cell.id}: product ${name}`;
    const product = Object.hasOwn(products, name) ? products[name] : undefined;
    if (!product) return warning(subject, `has the domain ${domain}, but this installation has no such product`);
    const problems =
      product.tiers.length === 0 ? problemsOf(product, cell, domain, null) : tierProblems(product, cell, domain);
    return problems.length === 0
      ? ok(subject, `can be resolved for tenants below ${domain}`)
      : problem(subject, problems.join('; '), 'R-PRE-02', 'R-PRE-03');
  });
}

function tierProblems(product: Product, cell: Cell, domain: string): string[] {
  return product.tiers.flatMap((tier) => problemsOf(product, cell, domain, tier));
}

function problemsOf(product: Product, cell: Cell, domain: string, tier: string | null): string[] {
  try {
    const blueprint = preflightBlueprint(product, cell, domain, tier);
    checkMigrationFiles(blueprint);
    return blueprintProblems(blueprint);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** @throws StepError when a set of tenant migrations is not there, or a file of it would be refused */
function checkMigrationFiles({ steps }: Blueprint): void {
  for (const step of steps) if (step.kind === 'postgres-schema') tenantMigrationFiles(step.spec.migrations);
}

/** The blueprints that a product's tenants would have in the cell, a tier each; none where the cell cannot serve it. */
export function blueprintsOf(product: Product, cell: Cell): Blueprint[] {
  const domain = cell.domains[product.name];
  if (domain === undefined) return [];
  return (product.tiers.length === 0 ? [null] : product.tiers).flatMap((tier) => {
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
