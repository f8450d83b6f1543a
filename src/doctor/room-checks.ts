import type { LandingZone } from '../aws/landing-zone.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LoadBalancerShare } from '../contracts/load-balancer-share.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import { tenantsThatFit } from '../db/allocations.ts';
import { loadBalancerShare } from '../products/places.ts';
import { ok, warning, type Finding } from './finding.ts';
import { blueprintsOf } from './product-checks.ts';

/** Fewer than this is worth a warning: a load balancer with its certificate takes a while to come. */
const FEW_TENANTS = 5;

export interface RoomParts {
  readonly cell: Cell;
  readonly catalog: Catalog;
  readonly landingZone: Pick<LandingZone, 'loadBalancer'>;
  /** What tenants have reserved, of other cells on a shared one too, by the ARN of the load balancer. */
  readonly reserved: ReadonlyMap<string, LoadBalancerShare>;
}

/** How many more tenants of each product fit on each load balancer of a cell, and what to do when that is few. */
export async function checkRoom({ cell, catalog, landingZone, reserved }: RoomParts): Promise<Finding[]> {
  const used = await Promise.all(cell.loadBalancers.map((lb) => usedOf(lb, landingZone)));
  return Object.values(catalog.products).flatMap((product) => {
    const shares = blueprintsOf(product, cell).map((blueprint) => loadBalancerShare(catalog.kinds, blueprint));
    if (!product.places.includes('load-balancer') || shares.length === 0) return [];
    // Of several tiers the one that takes most.
    const share = { rules: most(shares, 'rules'), targetGroups: most(shares, 'targetGroups') };
    const rooms = cell.loadBalancers.map((lb, n) => roomOn(lb, share, reserved.get(lb.arn), used[n]));
    return [finding(cell, product.name, share, rooms)];
  });
}

interface Room {
  readonly dnsName: string;
  /** That the API still places there. */
  readonly byReservations: number;
  /** That AWS still takes there; what others made counts. */
  readonly byAws: number;
}

function roomOn(
  { dnsName }: LoadBalancer,
  share: LoadBalancerShare,
  reserved: LoadBalancerShare | undefined,
  used: LoadBalancerShare | undefined,
): Room {
  // The rule of a suspended tenant's notice is only reserved.
  const made = { ...share, rules: Math.max(0, share.rules - 1) };
  return {
    dnsName,
    byReservations: tenantsThatFit(reserved, share),
    byAws: used === undefined ? 0 : tenantsThatFit(used, made),
  };
}

/** Undefined: it does not exist, which is another finding. */
async function usedOf({ arn }: LoadBalancer, landingZone: RoomParts['landingZone']) {
  const seen = await landingZone.loadBalancer(arn);
  return seen && { rules: seen.httpsRules, targetGroups: seen.targetGroups };
}

function finding(cell: Cell, product: string, share: LoadBalancerShare, rooms: readonly Room[]): Finding {
  const subject = `cell ${cell.id}: room for tenants of ${product}`;
  const total = rooms.reduce((sum, { byReservations, byAws }) => sum + Math.min(byReservations, byAws), 0);
  const each = rooms.map(({ dnsName, byReservations, byAws }) =>
    byAws < byReservations
      ? `${dnsName}: ${byAws}, AWS takes no more (the API would place ${byReservations})`
      : `${dnsName}: ${byReservations}`,
  );
  const takes = `each takes ${share.rules} rules and ${share.targetGroups} target groups`;
  const said = `${total} more (${each.join('; ')}); ${takes}`;
  // Placed there, they fail with QUOTA_EXCEEDED.
  const isFullAtAws = rooms.some(({ byReservations, byAws }) => byAws === 0 && byReservations > 0);
  if (total >= FEW_TENANTS && !isFullAtAws) return ok(subject, said, 'R-PRE-04');
  return warning(subject, `${said}. ${isFullAtAws ? freeSomeRoom : ''}${addRoom}`, 'R-PRE-04');
}

const freeSomeRoom =
  'Remove rules of others from that listener, or let AWS raise its quota of rules: tenants placed there fail with QUOTA_EXCEEDED. ';
const addRoom =
  'Add a load balancer to the cell (`loadBalancers`), or a cell that serves the product, to the platform description, and restart API and workers';

function most(shares: readonly LoadBalancerShare[], what: keyof LoadBalancerShare): number {
  return Math.max(...shares.map((share) => share[what]));
}
