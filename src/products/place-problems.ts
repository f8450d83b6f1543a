import type { Blueprint, Step } from '../contracts/blueprint.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import { plainZoneId } from '../formats.ts';
import { withoutData } from '../kinds/framework/outside-cell.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { stringsIn } from '../kinds/framework/within.ts';
import type { Product } from './product.ts';

/** What a blueprint's places are checked against. */
export interface Placed {
  readonly cell: Cell;
  readonly slug: string;
  /** Undefined: the product declares no place `load-balancer`. */
  readonly loadBalancer: LoadBalancer | undefined;
}

/**
 * What a blueprint uses of its cell without its product having it reserved, as sentences; empty when all is. What is not reserved is
 * not counted, and could be another tenant's. Pure.
 */
export function placeProblems(
  { kinds }: KindRegistry,
  product: Pick<Product, 'name' | 'places'>,
  { steps }: Pick<Blueprint, 'steps'>,
  placed: Placed,
): string[] {
  return steps
    .map(namingOnly(kinds))
    .flatMap((step) => [
      ...(product.places.includes('load-balancer')
        ? otherLoadBalancers(step, placed)
        : undeclaredLoadBalancers(kinds, step, placed).map((what) => undeclared(step, what, 'load-balancer', product))),
      ...(product.places.includes('host')
        ? []
        : undeclaredHosts(step, placed).map((what) => undeclared(step, what, 'host', product))),
    ]);
}

/** A step with what of its spec may name a place. */
function namingOnly(kinds: KindRegistry['kinds']): (step: Step) => Step {
  return (step) => ({ ...step, spec: withoutData(kinds.get(step.kind) ?? {}, step.spec) });
}

function undeclared({ id }: Step, what: string, place: string, { name }: Pick<Product, 'name'>): string {
  return `step "${id}" ${what}, which nothing reserves: declare the place \`${place}\` (\`places\` of the product ${name})`;
}

function undeclaredLoadBalancers(kinds: KindRegistry['kinds'], step: Step, { cell }: Placed): string[] {
  const named = namedIn(step, cell);
  if (named.length > 0) return [`names the load balancer ${named[0]?.dnsName ?? ''}`];
  return (kinds.get(step.kind)?.loadBalancerShare?.rules ?? 0) > 0
    ? ["takes a rule of a load balancer's listener"]
    : [];
}

/** The share was reserved on the one that the tenant is placed on. */
function otherLoadBalancers(step: Step, { cell, loadBalancer }: Placed): string[] {
  const named = namedIn(step, cell);
  if (loadBalancer === undefined || named.length === 0 || named.some(({ arn }) => arn === loadBalancer.arn)) return [];
  const names = named.map(({ dnsName }) => dnsName).join(', ');
  return [`step "${step.id}" names the load balancer ${names}, and the tenant is placed on ${loadBalancer.dnsName}`];
}

function namedIn({ spec }: Step, { loadBalancers }: Cell): LoadBalancer[] {
  const texts = stringsIn(spec);
  return loadBalancers.filter(({ arn, httpsListenerArn, dnsName }) =>
    [arn, httpsListenerArn, dnsName].some((name) => texts.includes(name)),
  );
}

function undeclaredHosts({ spec }: Step, { cell, slug }: Placed): string[] {
  const zone = plainZoneId(cell.hostedZone.id);
  const hosts = Object.values(cell.domains).map((domain) => `${slug}.${domain}`);
  const texts = stringsIn(spec);
  const host = hosts.find((name) => texts.some((text) => text === name || text === `https://${name}`));
  if (host !== undefined) return [`names the host ${host}`];
  return texts.some((text) => plainZoneId(text) === zone) ? [`names the hosted zone ${zone}`] : [];
}
