import type { Blueprint } from '../contracts/blueprint.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';

/** What a product is told about a tenant when its blueprint is resolved; all of it is checked already. */
export interface BlueprintRequest {
  readonly cell: Cell;
  readonly loadBalancer: LoadBalancer;
  readonly tenantId: string;
  readonly slug: string;
  readonly tier: string | null;
  /** `<slug>.<the product's domain in this cell>`. */
  readonly host: string;
}

/** One SaaS product: its rules for slugs and the steps that a tenant of it consists of. */
export interface Product {
  readonly name: string;
  /** Empty: the product has no tiers, and a request that names one is refused. */
  readonly tiers: readonly string[];
  readonly reservedSlugs: readonly string[];
  /** Pure: the same request gives the same blueprint. */
  readonly resolve: (request: BlueprintRequest) => Blueprint;
}
