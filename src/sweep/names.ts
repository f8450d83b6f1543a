import type { AnyStep } from '../contracts/blueprint.ts';
import type { Component } from '../contracts/kinds.ts';
import { physicalNames } from '../contracts/physical-names.ts';
import type { Cell } from '../contracts/platform.ts';
import type { SweptItem, SweptType } from '../contracts/sweep.ts';
import { schemaName, secretPrefix, targetGroupName } from '../naming.ts';
import type { Product } from '../products/product.ts';
import { reservedSlugs } from '../products/slug.ts';
import { isSwept } from './ledger-view.ts';

/** What a name tells, when it is one that we would give. */
export interface NameReading {
  readonly product: string | undefined;
  readonly slug: string | undefined;
}

/** The names that tenants' resources of a cell have. */
export interface Names {
  /** Undefined when the name is not of our pattern, or is a template's or a reserved one. */
  read(type: SweptType, name: string): NameReading | undefined;
  /**
   * Whether we would have given a tenant's thing this name. Marks can be copied (a console makes "another one like this"),
   * names of that kind are not.
   * @param tenant what the ledger knows; undefined for a tenant that it does not know
   */
  isGivenTo(item: Pick<SweptItem, 'type' | 'name'>, owner: NamedOwner, tenant: { slug: string } | undefined): boolean;
  /** Products whose names could not be found out, each with why. */
  readonly problems: readonly { readonly what: string; readonly message: string }[];
}

interface NamedOwner {
  readonly installationId: string;
  readonly tenantId: string;
  readonly product: string;
}

/** Stands for any slug while a blueprint is resolved to see which names come out. */
const PLACEHOLDER = 'zz9anyslug9zz';
const NOBODY = '00000000-0000-4000-8000-000000000000';
const SLUG = '([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)';
const components = ['backend', 'frontend'] as const satisfies readonly Component[];

interface Pattern {
  readonly product: string;
  readonly type: SweptType;
  readonly expression: RegExp;
}

/** Found from the products' own blueprints, so that a new product's names are known here without another word. */
export function namesOf(cell: Cell, products: Readonly<Record<string, Product>>): Names {
  const problems: { what: string; message: string }[] = [];
  const patterns = Object.entries(cell.domains).flatMap(([name, domain]) => {
    try {
      const product = Object.hasOwn(products, name) ? products[name] : undefined;
      if (!product) throw new Error('this installation has no such product');
      return patternsOf(cell, product, domain);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      problems.push({ what: `names of product ${name}`, message });
      return [];
    }
  });
  const kept = keptNames(cell);
  const reserved = new Set([...reservedSlugs, ...Object.values(products).flatMap((p) => p.reservedSlugs)]);
  const readPattern = (type: SweptType, name: string): NameReading | undefined => {
    if (kept.has(name)) return undefined;
    for (const { product, expression } of patterns.filter((p) => p.type === type)) {
      const slug = expression.exec(name)?.[1];
      if (slug !== undefined && !reserved.has(slug)) return { product, slug };
    }
    return undefined;
  };
  return {
    problems,
    read: (type, name) => {
      const plain = plainPatterns[type];
      if (plain) return plain.test(name) ? { product: undefined, slug: undefined } : undefined;
      return readPattern(type, name);
    },
    isGivenTo: ({ type, name }, owner, tenant) => {
      const exact = exactNames(type, name, owner);
      if (exact !== undefined) return exact;
      const found = readPattern(type, name);
      return found?.product === owner.product && (tenant === undefined || found.slug === tenant.slug);
    },
  };
}

/** Types whose names come from ids, not from the slug. */
const plainPatterns: Partial<Record<SweptType, RegExp>> = {
  'elbv2:target-group': /^t-[0-9a-f]{10}-(be|fe)$/,
  'secretsmanager:secret': /^tenantry\/[0-9a-f-]{36}\/[0-9a-f-]{36}\/./,
  'postgres:schema': /^tenant_[0-9a-f]{32}$/,
};

/** Undefined: the type's names come from the slug. */
function exactNames(type: SweptType, name: string, owner: NamedOwner): boolean | undefined {
  if (type === 'elbv2:target-group')
    return components.some((c) => name === targetGroupName(owner.installationId, owner.tenantId, c));
  if (type === 'secretsmanager:secret') return name.startsWith(secretPrefix(owner.installationId, owner.tenantId));
  if (type === 'postgres:schema') return name === schemaName(owner.tenantId);
  return undefined;
}

function patternsOf(cell: Cell, product: Product, domain: string): Pattern[] {
  const [loadBalancer] = cell.loadBalancers;
  if (!loadBalancer) throw new Error('the cell names no load balancer');
  const tiers = product.tiers.length === 0 ? [null] : product.tiers;
  const host = `${PLACEHOLDER}.${domain}`;
  return tiers.flatMap((tier) => {
    const { steps } = product.resolve({ cell, loadBalancer, tier, tenantId: NOBODY, slug: PLACEHOLDER, host });
    return steps.flatMap(namesIn).map(({ type, name }) => ({
      product: product.name,
      type,
      expression: new RegExp(`^${escaped(name).replaceAll(PLACEHOLDER, SLUG)}$`),
    }));
  });
}

/** A rule by its name in the ledger: on which load balancer it is says nothing of its name. */
function namesIn(step: AnyStep): { type: SweptType; name: string }[] {
  const names =
    step.kind === 'listener-rule'
      ? [{ type: 'elbv2:rule', name: step.spec.host + step.spec.paths.join(',') }]
      : physicalNames(step);
  return names.flatMap(({ type, name }) => (isSwept(type) && name.includes(PLACEHOLDER) ? [{ type, name }] : []));
}

/** The cell's own things whose names could be read as a tenant's. */
function keptNames(cell: Cell): ReadonlySet<string> {
  const templates = Object.values(cell.templateServices).flatMap((of) => Object.values(of));
  return new Set([...templates, ...templates.map((name) => `/ecs/${name}`)]);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
