import { fileURLToPath } from 'node:url';
import type { Step } from '../contracts/blueprint.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import { label } from '../kinds/framework/values.ts';
import { places, type BlueprintRequest, type Place, type Product, type Template } from './product.ts';
import { stepsIn, type MakeStep } from './step.ts';
import { templateServiceOf } from './templates.ts';

/** What every blueprint is resolved from. */
interface CommonRequest<Tier extends string, Component extends string> {
  readonly tenant: { readonly id: string; readonly slug: string };
  /** Null where the product has no tiers. */
  readonly tier: [Tier] extends [never] ? null : Tier;
  readonly cell: Cell;
  /** Writes one step of a kind, with the waiting times that the kind has in this cell. */
  readonly step: MakeStep;
  /** The service of this cell that a component is cloned from. */
  readonly template: (component: Component) => string;
}

/** Of a product that declares the place `host`. */
interface HostRequest {
  /** `<slug>.<the product's domain in this cell>`. */
  readonly host: string;
  /** `https://` and the host. */
  readonly url: string;
}

/** Of a product that declares the place `load-balancer`. */
interface LoadBalancerRequest {
  /** The one of the cell that the tenant was placed on. */
  readonly loadBalancer: LoadBalancer;
}

/** What `blueprint` is called with: all of it is checked and reserved already. */
export type ProductRequest<
  Tier extends string = string,
  P extends Place = Place,
  Component extends string = string,
> = CommonRequest<Tier, Component> &
  ('host' extends P ? HostRequest : unknown) &
  ('load-balancer' extends P ? LoadBalancerRequest : unknown);

/** What is particular to a product. */
export interface ProductDefinition<Tier extends string, P extends Place, Component extends string> {
  /** Lower case letters, digits and single hyphens, at most 40: in names of resources, in requests, in the set of migrations. */
  readonly name: string;
  /** Sizes that a tenant may have; none: a request must not name one. */
  readonly tiers?: readonly Tier[] | undefined;
  /** What the door reserves for a tenant before anything is accepted. */
  readonly places: readonly P[];
  /** Slugs that no tenant of it gets, besides those that no product gives. */
  readonly reservedSlugs?: readonly string[] | undefined;
  /** By component, a label of 1 to 18 characters: the services of the landing zone that tenants' services are cloned from. */
  readonly templates?: Readonly<Record<Component, Template>> | undefined;
  /** Folder of numbered SQL files for tenants' schemas: the set of migrations that has the product's name. */
  readonly migrations?: URL | undefined;
  /** The steps of a tenant. Pure: the same request gives the same steps. */
  readonly blueprint: (request: ProductRequest<Tier, P, Component>) => readonly Step[];
}

/**
 * A product, for the `products` of `tenantry.config.ts`.
 * @throws RangeError naming all that is wrong with the definition
 */
export function defineProduct<
  const Tier extends string = never,
  const P extends Place = never,
  Component extends string = never,
>(definition: ProductDefinition<Tier, P, Component>): Product {
  const problems = problemsOf(definition);
  if (problems.length > 0) throw new RangeError(`product "${definition.name}": ${problems.join('; ')}`);
  const { name, blueprint, tiers = [], reservedSlugs = [], templates = {}, migrations } = definition;
  return {
    name,
    tiers,
    reservedSlugs,
    places: definition.places,
    templates,
    migrations: migrations && fileURLToPath(migrations),
    resolve: (request) => ({
      version: 1,
      product: name,
      tier: request.tier,
      cell: request.cell.id,
      steps: blueprint(requestFor(definition, request)),
    }),
  };
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const TIER = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** As the request of a tenant has it. */
const LONGEST_NAME = 40;

const fields = ['name', 'tiers', 'places', 'reservedSlugs', 'templates', 'migrations', 'blueprint'];

function problemsOf(
  definition: Pick<ProductDefinition<string, Place, string>, 'name' | 'tiers' | 'places' | 'templates' | 'migrations'>,
): readonly string[] {
  const { name, tiers = [], places: declared, templates = {}, migrations } = definition;
  const unknown = declared.filter((place) => !places.includes(place));
  return [
    ...Object.keys(definition)
      .filter((field) => !fields.includes(field))
      .map((field) => `there is no field "${field}" (there are: ${fields.join(', ')})`),
    ...(NAME.test(name) && name.length <= LONGEST_NAME
      ? []
      : [`its name must be lower case letters, digits and single hyphens, at most ${LONGEST_NAME}`]),
    ...tiers
      .filter((tier) => !TIER.test(tier) || tier.length > LONGEST_NAME)
      .map((tier) => `"${tier}" is no name for a tier: use lower case letters, digits and single hyphens`),
    ...twice(tiers).map((tier) => `tier "${tier}" is given twice`),
    ...unknown.map((place) => `there is no place "${place}" (there are: ${places.join(', ')})`),
    ...twice(declared).map((place) => `place "${place}" is given twice`),
    ...Object.keys(templates)
      .filter((component) => !label.safeParse(component).success)
      .map((component) => `template "${component}" has no name for a component: a label of 1 to 18 characters`),
    ...(migrations === undefined || migrations.protocol === 'file:'
      ? []
      : [`migrations must be a file URL, such as new URL('./migrations/', import.meta.url)`]),
  ];
}

function twice(list: readonly string[]): readonly string[] {
  return [...new Set(list.filter((one, i) => list.indexOf(one) !== i))];
}

/** @throws Error when something is missing that the door reserves: no tenant of the product was accepted so */
function requestFor<Tier extends string, P extends Place, Component extends string>(
  { name, places: declared }: ProductDefinition<Tier, P, Component>,
  { cell, host, loadBalancer, slug, tenantId, tier }: BlueprintRequest,
): ProductRequest<Tier, P, Component> {
  const has = (place: Place) => (declared as readonly Place[]).includes(place);
  if (has('host') && host === undefined) throw new Error(`a tenant of ${name} has no host in cell ${cell.id}`);
  if (has('load-balancer') && !loadBalancer)
    throw new Error(`a tenant of ${name} has no load balancer in cell ${cell.id}`);
  const request = {
    tenant: { id: tenantId, slug },
    tier,
    cell,
    step: stepsIn(cell),
    template: (component: Component) => templateServiceOf(cell, name, component),
    ...(has('host') && { host, url: `https://${host ?? ''}` }),
    ...(has('load-balancer') && { loadBalancer }),
  };
  // Which of its fields there are was decided by `places`, as the type is.
  return request as unknown as ProductRequest<Tier, P, Component>;
}
