import type { z } from 'zod';
import type { Blueprint } from '../contracts/blueprint.ts';
import type { DriftRepairPolicy } from '../contracts/drift.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import type { SettingsBounds } from './settings.ts';

/**
 * What is reserved for a tenant before anything is accepted: `host`, its host name below the product's domain; `load-balancer`, a
 * place on one of the cell's load balancers.
 */
export const places = ['host', 'load-balancer'] as const;
export type Place = (typeof places)[number];

/** `chosen`: by the request for a tenant. `tenant-id`: its slug is its id, and no request chooses one. */
export const slugRules = ['chosen', 'tenant-id'] as const;
export type SlugRule = (typeof slugRules)[number];

/**
 * A service of the landing zone that a component of tenants is cloned from. The platform description names the one of each cell
 * (`templateServices`); a sandbox makes them as they are declared here.
 */
export interface Template {
  readonly containerPort: number;
  /** What runs in it in a sandbox: a part of the demo application. `app`, the default, is both others in one. */
  readonly demoPart?: 'app' | 'backend' | 'frontend' | undefined;
  /** What a sandbox calls the service; `<product>-template-<component>` unless given. */
  readonly service?: string | undefined;
}

/** What a product is told about a tenant when its blueprint is resolved; all of it is checked already. */
export interface BlueprintRequest {
  readonly cell: Cell;
  readonly tenantId: string;
  readonly slug: string;
  readonly tier: string | null;
  /** The tier that it was in before its last change of tier; default: null, it had none. */
  readonly cameFrom?: string | null | undefined;
  /** The operation is that change: it comes from there. Default: it is not. */
  readonly isMoving?: boolean | undefined;
  /** Of a product that declares the place `host`: `<slug>.<the product's domain in this cell>`. */
  readonly host?: string | undefined;
  /** Of a product that declares the place `load-balancer`. */
  readonly loadBalancer?: LoadBalancer | undefined;
  /** As they were given; none: what the product takes by default. */
  readonly settings?: Settings | undefined;
  /** Default: `active`. */
  readonly mode?: TenantMode | undefined;
  /** Which of its credentials its services use: rises with each rotation. Default: 1, the first. */
  readonly credentials?: number | undefined;
}

/** A change of tier that a product knows how to carry out. */
export interface TierChange<Tier extends string = string> {
  readonly from: Tier;
  readonly to: Tier;
}

/** One SaaS product: its rules for slugs and the steps that a tenant of it consists of. Written by `defineProduct`. */
export interface Product {
  readonly name: string;
  /** Empty: the product has no tiers, and a request that names one is refused. */
  readonly tiers: readonly string[];
  /** Changes of tier that its tenants may be brought through; any other is refused. */
  readonly tierChanges: readonly TierChange[];
  readonly reservedSlugs: readonly string[];
  /** Where its tenants' slugs come from. Default: `chosen`. */
  readonly slugs?: SlugRule | undefined;
  /** What its callers call a tenant, in lower case, for messages. Default: `tenant`. */
  readonly noun?: string | undefined;
  /** What its callers call a tier, in lower case, for messages. Default: `tier`. */
  readonly tierNoun?: string | undefined;
  /** Settings that hold a tenant's details, as paths such as `owner.email`: the detail is what the setting says, and is changed there. */
  readonly details?:
    { readonly displayName?: string | undefined; readonly contactEmail?: string | undefined } | undefined;
  readonly places: readonly Place[];
  /** By component: what tenants are cloned from. */
  readonly templates: Readonly<Record<string, Template>>;
  /** Folder of the SQL files that its tenants' schemas are migrated by, a path; undefined: it brings none. */
  readonly migrations?: string | undefined;
  /** What its tenants' settings may be, in a cell and a tier. Without any they are valid, too. */
  readonly settings: (bounds: SettingsBounds) => z.ZodType<Settings>;
  /** Whether two settings say the same, so that one in the place of the other is no change. Default: they are equal as JSON. */
  readonly isSameSettings?: ((one: Settings, other: Settings) => boolean) | undefined;
  /** Ids of the steps without which a tenant does not serve its users; undefined: all of them. */
  readonly criticalSteps?: readonly string[] | undefined;
  /** Whether drift of its tenants is repaired without anybody's approval. Default: `approval`. */
  readonly driftRepair?: DriftRepairPolicy | undefined;
  /** Names of the SSM parameters that a cell has to give (`ssmParameters`) to serve it; undefined: it needs none. */
  readonly ssmParameters?: readonly string[] | undefined;
  /** False: its tenants cannot be suspended, as there is nothing of theirs that would stop. Default: true. */
  readonly suspendable?: boolean | undefined;
  /** Pure: the same request gives the same blueprint. @throws SettingsError for settings that are not valid */
  readonly resolve: (request: BlueprintRequest) => Blueprint;
}
