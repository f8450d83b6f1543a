import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { stepsWithCredentials } from './credentials.ts';
import { stepsInMode } from './suspension.ts';
import type { Step } from '../contracts/blueprint.ts';
import type { DriftRepairPolicy } from '../contracts/drift.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import { ssmParameterName } from '../formats.ts';
import { label } from '../kinds/framework/values.ts';
import { shapeProblems, type Shape } from '../shape-problems.ts';
import {
  places,
  type BlueprintRequest,
  type Place,
  type Product,
  type SlugRule,
  type Template,
  type TierChange,
} from './product.ts';
import { namingProblems } from './naming-problems.ts';
import { parseSettings, SettingsError, type SettingsBounds } from './settings.ts';
import { refuseMissingParameters } from './cell-parameters.ts';
import { stepsIn, type MakeStep } from './step.ts';
import { templateServiceOf } from './templates.ts';

/** Null where the product has no tiers. */
type TierOf<Tier extends string> = [Tier] extends [never] ? null : Tier;

/** A product whose tenants have no settings. */
const noSettings = z.strictObject({});
type NoSettings = typeof noSettings;

/** What every blueprint is resolved from. */
interface CommonRequest<Tier extends string, Component extends string, Chosen> {
  readonly tenant: { readonly id: string; readonly slug: string };
  readonly tier: TierOf<Tier>;
  /** The tier before the last change of tier, for all that comes after it; null: there was none. */
  readonly cameFrom: Tier | null;
  /** The operation is that change, from `cameFrom` to `tier`: the only one that may have transient steps. */
  readonly isMoving: boolean;
  /** What an operator chose, as the product's `settings` read it. */
  readonly settings: Chosen;
  /** `suspended`: the tenant keeps what it has, and is not to answer its users. */
  readonly mode: TenantMode;
  readonly cell: Cell;
  /** Writes one step of a kind, with the waiting times that the kind has in this cell. */
  readonly step: MakeStep;
  /** The service of this cell that a component is cloned from. */
  readonly template: (component: Component) => string;
  /** The value of an SSM parameter of this cell; undefined where the cell gives none. Those that the product declares have one. */
  readonly parameter: (name: string) => string | undefined;
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
  Chosen = Settings,
> = CommonRequest<Tier, Component, Chosen> &
  ('host' extends P ? HostRequest : unknown) &
  ('load-balancer' extends P ? LoadBalancerRequest : unknown);

/** What is particular to a product. */
export interface ProductDefinition<
  Tier extends string,
  P extends Place,
  Component extends string,
  S extends z.ZodType<Settings> = NoSettings,
> {
  /** Lower case letters, digits and single hyphens, at most 40: in names of resources, in requests, in the set of migrations. */
  readonly name: string;
  /** Sizes that a tenant may have; none: a request must not name one. */
  readonly tiers?: readonly Tier[] | undefined;
  /** Changes of tier that `blueprint` knows how to carry out; none: a tenant stays in the tier that it was created in. */
  readonly tierChanges?: readonly TierChange<Tier>[] | undefined;
  /** What the door reserves for a tenant before anything is accepted. */
  readonly places: readonly P[];
  /** Slugs that no tenant of it gets, besides those that no product gives. */
  readonly reservedSlugs?: readonly string[] | undefined;
  /** `tenant-id`: a tenant's slug is its id, and a request that chooses one is refused. Default: `chosen`. */
  readonly slugs?: SlugRule | undefined;
  /** What its callers call a tenant, such as `account`: messages of the API say so. Default: `tenant`. */
  readonly noun?: string | undefined;
  /** What its callers call a tier, such as `cloud type`: messages of the API say so. Default: `tier`. */
  readonly tierNoun?: string | undefined;
  /**
   * Settings that hold what a tenant is called and who is written to, as paths such as `owner.email`: where the settings have it, it is the
   * tenant's, and changed there alone. A setting that is no part of another is filled in from the request that makes the tenant.
   */
  readonly details?: Product['details'];
  /** By component, a label of 1 to 18 characters: the services of the landing zone that tenants' services are cloned from. */
  readonly templates?: Readonly<Record<Component, Template>> | undefined;
  /** Folder of numbered SQL files for tenants' schemas: the set of migrations that has the product's name. */
  readonly migrations?: URL | undefined;
  /**
   * What an operator may choose for a tenant, now and later; a function where that depends on cell or tier. No choice at all must be
   * valid. Without it a tenant has no settings.
   */
  readonly settings?: S | ((bounds: SettingsBounds<TierOf<Tier>>) => S) | undefined;
  /**
   * Whether two settings say the same: a request that leads from one to the other, and to the same steps, changes nothing. Default: they
   * are equal as JSON.
   */
  readonly isSameSettings?: Product['isSameSettings'];
  /**
   * Ids of the steps without which a tenant does not serve its users: one of them that does not answer makes it unhealthy, any other
   * degraded. Default: all of them.
   */
  readonly criticalSteps?: readonly string[] | undefined;
  /** Names of SSM parameters without which a cell does not serve the product: its `ssmParameters` must give each a value. */
  readonly ssmParameters?: readonly string[] | undefined;
  /** False where a suspension would stop nothing: a tenant without host and services. A request for one is refused. Default: true. */
  readonly suspendable?: boolean | undefined;
  /** How tenants are repaired that are not as they were applied. Default: `approval`. */
  readonly drift?: { readonly repair: DriftRepairPolicy } | undefined;
  /** The steps of a tenant. Pure: the same request gives the same steps. */
  readonly blueprint: (request: ProductRequest<Tier, P, Component, z.output<S>>) => readonly Step[];
}

/**
 * A product, for the `products` of `tenantry.config.ts`.
 * @throws RangeError naming all that is wrong with the definition
 */
export function defineProduct<
  const Tier extends string = never,
  const P extends Place = never,
  Component extends string = never,
  S extends z.ZodType<Settings> = NoSettings,
>(definition: ProductDefinition<Tier, P, Component, S>): Product {
  const problems = problemsOf(definition);
  if (problems.length > 0) throw new RangeError(`product ${nameIn(definition)}: ${problems.join('; ')}`);
  const { name, blueprint, tiers = [], tierChanges = [], reservedSlugs = [], templates = {} } = definition;
  const { migrations, criticalSteps } = definition;
  const settings = settingsOf(definition);
  return {
    name,
    tiers,
    tierChanges,
    reservedSlugs,
    slugs: definition.slugs,
    noun: definition.noun,
    tierNoun: definition.tierNoun,
    details: definition.details,
    places: definition.places,
    templates,
    migrations: migrations && fileURLToPath(migrations),
    settings,
    isSameSettings: definition.isSameSettings,
    criticalSteps,
    driftRepair: definition.drift?.repair,
    ssmParameters: definition.ssmParameters,
    suspendable: definition.suspendable,
    resolve: (request) => {
      refuseMissingParameters(request.cell, definition);
      const chosen = parseSettings(settings(request), request.settings ?? {});
      if (!chosen.ok) throw new SettingsError(name, chosen.problems);
      return {
        version: 1,
        product: name,
        tier: request.tier,
        cell: request.cell.id,
        steps: stepsInMode(
          request,
          stepsWithCredentials(request, blueprint(requestFor(definition, request, chosen.settings))),
        ),
      };
    },
  };
}

/** For every definition alike: a function of the bounds. */
function settingsOf<Tier extends string, P extends Place, Component extends string, S extends z.ZodType<Settings>>({
  settings = noSettings as z.ZodType<Settings> as S,
}: ProductDefinition<Tier, P, Component, S>): (bounds: SettingsBounds) => S {
  // The door has checked the tier by the product's own list.
  return (bounds) => (typeof settings === 'function' ? settings(bounds as SettingsBounds<TierOf<Tier>>) : settings);
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const TIER = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** As the request of a tenant has it. */
const LONGEST_NAME = 40;

const shape: Shape = {
  ...{
    name: 'string',
    tiers: 'list?',
    tierChanges: 'list?',
    places: 'list',
    reservedSlugs: 'list?',
    templates: 'object?',
  },
  ...{ migrations: 'object?', settings: 'any?', criticalSteps: 'list?', drift: 'object?', ssmParameters: 'list?' },
  ...{
    isSameSettings: 'function?',
    suspendable: 'boolean?',
    slugs: 'string?',
    noun: 'string?',
    tierNoun: 'string?',
    details: 'object?',
    blueprint: 'function',
  },
};

const tierChangeShape: Shape = { from: 'string', to: 'string' };

function problemsOf(
  definition: Pick<
    ProductDefinition<string, Place, string>,
    | 'name'
    | 'tiers'
    | 'tierChanges'
    | 'places'
    | 'templates'
    | 'migrations'
    | 'ssmParameters'
    | 'slugs'
    | 'noun'
    | 'tierNoun'
    | 'details'
  > & { readonly settings?: unknown },
): readonly string[] {
  const unshaped = shapeProblems(definition, shape);
  if (unshaped.some((problem) => !problem.startsWith('there is no field'))) return unshaped;
  const { name, tiers = [], tierChanges = [], places: declared, templates = {}, migrations, settings } = definition;
  const { ssmParameters = [] } = definition;
  const unknown = declared.filter((place) => !places.includes(place));
  return [
    ...unshaped,
    ...(NAME.test(name) && name.length <= LONGEST_NAME
      ? []
      : [`its name must be lower case letters, digits and single hyphens, at most ${LONGEST_NAME}`]),
    ...tiers
      .filter((tier) => !TIER.test(tier) || tier.length > LONGEST_NAME)
      .map((tier) => `"${tier}" is no name for a tier: use lower case letters, digits and single hyphens`),
    ...namingProblems(definition),
    ...twice(tiers).map((tier) => `tier "${tier}" is given twice`),
    ...tierChangeProblems(tiers, tierChanges),
    ...unknown.map((place) => `there is no place "${place}" (there are: ${places.join(', ')})`),
    ...twice(declared).map((place) => `place "${place}" is given twice`),
    ...Object.keys(templates)
      .filter((component) => !label.safeParse(component).success)
      .map((component) => `template "${component}" has no name for a component: a label of 1 to 18 characters`),
    ...(migrations === undefined || migrations.protocol === 'file:'
      ? []
      : [`migrations must be a file URL, such as new URL('./migrations/', import.meta.url)`]),
    ...ssmParameters
      .filter((parameter) => !ssmParameterName.safeParse(parameter).success)
      .map((parameter) => `"${parameter}" is no name of an SSM parameter, such as /platform/name`),
    ...(settings instanceof z.ZodType ? defaultProblems(settings) : []),
  ];
}

function tierChangeProblems(tiers: readonly string[], changes: readonly TierChange[]): readonly string[] {
  const unshaped = changes.filter((change) => shapeProblems(change, tierChangeShape).length > 0);
  if (unshaped.length > 0) return ['each of tierChanges must be { from, to }, the names of two tiers'];
  const texts = changes.map(({ from, to }) => `from ${from} to ${to}`);
  return [
    ...changes
      .flatMap(({ from, to }) => [from, to])
      .filter((tier) => !tiers.includes(tier))
      .map((tier) => `tierChanges names tier "${tier}", which is none of its tiers`),
    ...changes.filter(({ from, to }) => from === to).map(({ from }) => `tierChanges leads from "${from}" to itself`),
    ...twice(texts).map((text) => `the change of tier ${text} is given twice`),
  ];
}

/** A tenant may be asked for without settings. */
function defaultProblems(settings: z.ZodType): readonly string[] {
  const chosen = parseSettings(settings, {});
  if (chosen.ok) return [];
  return chosen.problems.map(
    ({ path, problem }) => `settings must be valid when none are given: ${path.join('.')} ${problem}`,
  );
}

/** What was given for a name, of which nothing is known. */
function nameIn(definition: { readonly name: unknown } | undefined): string {
  const name = definition?.name;
  return typeof name === 'string' ? `"${name}"` : 'without a name';
}

function twice(list: readonly string[]): readonly string[] {
  return [...new Set(list.filter((one, i) => list.indexOf(one) !== i))];
}

/** @throws Error when something is missing that the door reserves: no tenant of the product was accepted so */
function requestFor<Tier extends string, P extends Place, Component extends string, Chosen>(
  { name, places: declared }: { readonly name: string; readonly places: readonly P[] },
  {
    cell,
    host,
    loadBalancer,
    mode = 'active',
    slug,
    tenantId,
    tier,
    cameFrom = null,
    isMoving = false,
  }: BlueprintRequest,
  settings: Chosen,
): ProductRequest<Tier, P, Component, Chosen> {
  const has = (place: Place) => (declared as readonly Place[]).includes(place);
  if (has('host') && host === undefined) throw new Error(`a tenant of ${name} has no host in cell ${cell.id}`);
  if (has('load-balancer') && !loadBalancer)
    throw new Error(`a tenant of ${name} has no load balancer in cell ${cell.id}`);
  const request = {
    tenant: { id: tenantId, slug },
    tier,
    cameFrom,
    isMoving,
    settings,
    mode,
    cell,
    step: stepsIn(cell),
    template: (component: Component) => templateServiceOf(cell, name, component),
    parameter: (wanted: string) => cell.ssmParameters?.[wanted],
    ...(has('host') && { host, url: `https://${host ?? ''}` }),
    ...(has('load-balancer') && { loadBalancer }),
  };
  for (const field of undeclared(declared))
    Object.defineProperty(request, field, {
      get: () => {
        throw new PlaceNotDeclaredError(name, field);
      },
    });
  // Which of its fields there are was decided by `places`, as the type is.
  return request as unknown as ProductRequest<Tier, P, Component, Chosen>;
}

/** Fields of a request, by the place that they come with. */
const fieldsOfPlaces = { host: ['host', 'url'], 'load-balancer': ['loadBalancer'] } as const;

function undeclared(declared: readonly Place[]): string[] {
  return places.filter((place) => !declared.includes(place)).flatMap((place) => [...fieldsOfPlaces[place]]);
}

/** A blueprint reads what its product does not have reserved: the types refuse it, for those who write with types. */
export class PlaceNotDeclaredError extends Error {
  override readonly name = 'PlaceNotDeclaredError';
  constructor(product: string, field: string) {
    const place = field === 'loadBalancer' ? 'load-balancer' : 'host';
    super(
      `its blueprint reads \`${field}\`, which nothing reserves: declare the place \`${place}\` (\`places\` of the product ${product})`,
    );
  }
}
