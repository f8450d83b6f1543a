import { z } from 'zod';
import { ISOLATION_STEP } from '../contracts/isolation.ts';
import { loadBalancerQuotas, type LoadBalancerShare } from '../contracts/load-balancer-share.ts';
import { StepError } from '../contracts/step-error.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import type { Database, Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

/** What a tenant was placed with before its product's own share was stored: two components. */
const UNKNOWN_SHARE: LoadBalancerShare = { rules: 3, targetGroups: 2 };

/** Bands of listener-rule priorities (design rule 14): no host rule outranks a path rule, no rule a notice, and no notice an isolation. */
export const priorityBands = {
  isolation: { first: 1, last: 99 },
  notice: { first: 100, last: 999 },
  path: { first: 1_000, last: 24_999 },
  host: { first: 25_000, last: 49_999 },
} as const;
export type PriorityBand = keyof typeof priorityBands;

/**
 * Places a tenant on the load balancer of its cell that has most room, once; undefined when none has room for it. A load balancer
 * that several cells describe is one: what their tenants take together counts.
 * @param share what the tenant takes
 */
export async function placeOnLoadBalancer(
  tx: Queryable,
  cell: Cell,
  tenantId: string,
  share: LoadBalancerShare,
): Promise<LoadBalancer | undefined> {
  const arns = [...new Set(cell.loadBalancers.map(({ arn }) => arn))].sort();
  // An API of an earlier release locks the cell alone.
  await lockScopes(
    tx,
    [cell.id, ...arns].map((scope) => `load-balancer ${scope}`),
  );
  const { taken, placed } = await findShares(tx, arns, tenantId);
  const own = cell.loadBalancers.find(({ arn }) => arn === placed);
  if (own) return own;
  const room = (lb: LoadBalancer) => tenantsThatFit(taken.get(lb.arn), share);
  const [best] = cell.loadBalancers.filter((lb) => room(lb) > 0).sort((a, b) => room(b) - room(a));
  if (!best) return undefined;
  await tx.query(
    `insert into allocations (cell, kind, scope, key, tenant_id, rules, target_groups)
     values ($1, 'load-balancer', $2, $3, $4, $5, $6)`,
    [cell.id, best.arn, tenantId, tenantId, share.rules, share.targetGroups],
  );
  return best;
}

/** How many more tenants of a share fit on a load balancer of which so much is taken. Pure. */
export function tenantsThatFit(
  taken: LoadBalancerShare = { rules: 0, targetGroups: 0 },
  share: LoadBalancerShare,
): number {
  const fit = (what: keyof LoadBalancerShare) =>
    share[what] === 0 ? Infinity : Math.floor((loadBalancerQuotas[what] - taken[what]) / share[what]);
  return Math.max(0, Math.min(fit('rules'), fit('targetGroups')));
}

const takenRow = z.object({ arn: z.string(), rules: z.int(), targetGroups: z.int(), place: z.string().nullable() });

/** What tenants, of whichever cell, have reserved on each of these load balancers, by ARN. */
export async function listLoadBalancerShares(
  db: Queryable,
  arns: readonly string[],
): Promise<ReadonlyMap<string, LoadBalancerShare>> {
  return (await findShares(db, arns, null)).taken;
}

/** {@link listLoadBalancerShares}, and on which of them a tenant has its place. */
async function findShares(
  db: Queryable,
  arns: readonly string[],
  tenantId: string | null,
): Promise<{ readonly taken: ReadonlyMap<string, LoadBalancerShare>; readonly placed: string | undefined }> {
  const answer = await db.query(
    `select scope as arn, sum(coalesce(rules, $2))::int as rules,
       sum(coalesce(target_groups, $3))::int as "targetGroups", min(id) filter (where tenant_id = $4) as place
     from allocations where kind = 'load-balancer' and scope = any ($1) group by scope order by place`,
    [arns, UNKNOWN_SHARE.rules, UNKNOWN_SHARE.targetGroups, tenantId],
  );
  const rows = rowsOf(takenRow, answer);
  return {
    taken: new Map(rows.map(({ arn, rules, targetGroups }) => [arn, { rules, targetGroups }])),
    placed: rows.find(({ place }) => place !== null)?.arn,
  };
}

/** The load balancer that a tenant was placed on, by ARN; undefined when it has no place. */
export async function findPlacement(db: Queryable, tenantId: string): Promise<string | undefined> {
  const answer = await db.query(
    `select scope as arn from allocations where tenant_id = $1 and kind = 'load-balancer' order by id limit 1`,
    [tenantId],
  );
  return rowOf(z.object({ arn: z.string() }), answer)?.arn;
}

export interface PriorityRequest {
  readonly cell: string;
  readonly listenerArn: string;
  readonly band: PriorityBand;
  readonly tenantId: string;
  readonly stepId: string;
}

/**
 * The priority that a step holds on a listener: the one that it has, or the lowest free one of the band. Never one that
 * another holds, however many ask at once, in whichever cell.
 *
 * @throws StepError PRIORITIES_EXHAUSTED when the band is full
 */
export function takeRulePriority(db: Database, request: PriorityRequest): Promise<number> {
  return db.transaction((tx) => takeRulePriorityIn(tx, request));
}

/** The same, in a transaction. */
export async function takeRulePriorityIn(tx: Queryable, request: PriorityRequest): Promise<number> {
  const { cell, listenerArn, band, tenantId, stepId } = request;
  // A worker of an earlier release locks the listener in its cell alone.
  await lockScope(tx, `rule-priority ${cell} ${listenerArn}`);
  await lockScope(tx, `rule-priority ${listenerArn}`);
  const free = await findPriority(tx, request);
  if (free === undefined)
    throw new StepError('PRIORITIES_EXHAUSTED', `no priority is left in the band for ${band} rules of ${listenerArn}`);
  await tx.query(
    `insert into allocations (cell, kind, scope, key, tenant_id, step_id) values ($1, 'rule-priority', $2, $3, $4, $5)
     on conflict (cell, kind, scope, key) do nothing`,
    [cell, listenerArn, String(free), tenantId, stepId],
  );
  return free;
}

/** The step's own priority, else the lowest free one. */
async function findPriority(tx: Queryable, request: PriorityRequest): Promise<number | undefined> {
  const { first, last } = priorityBands[request.band];
  const answer = await tx.query(
    // Materialized, because only keys of priorities can be cast.
    `with keys as materialized (
       select key, tenant_id, step_id from allocations where kind = 'rule-priority' and scope = $1
     ), held as (
       select key::int as priority, tenant_id, step_id from keys where key::int between $2 and $3
     ), candidate as (
       select priority, 0 as rank from held where tenant_id = $4 and step_id = $5
       union all
       select p, 1 from (select $2::int as p union select priority + 1 from held) as next
       where p <= $3 and p not in (select priority from held)
     )
     select priority from candidate order by rank, priority limit 1`,
    [request.listenerArn, first, last, request.tenantId, request.stepId],
  );
  return rowOf(z.object({ priority: z.number() }), answer)?.priority;
}

/** A foreign rule was seen at this priority: the step gives it up, and it is never given out again. */
export async function markPriorityForeign(
  db: Queryable,
  place: { cell: string; listenerArn: string; priority: number; tenantId: string; stepId: string },
): Promise<void> {
  await db.query(
    `insert into allocations as held (cell, kind, scope, key) values ($1, 'rule-priority', $2, $3)
     on conflict (cell, kind, scope, key) do update set tenant_id = null, step_id = null
     where held.tenant_id = $4 and held.step_id = $5`,
    [place.cell, place.listenerArn, String(place.priority), place.tenantId, place.stepId],
  );
}

/** Takes a host name of a zone for a tenant, in a transaction; false when another has it, in whichever cell. */
export async function reserveHostName(
  tx: Queryable,
  request: { cell: string; zone: string; host: string; tenantId: string },
): Promise<boolean> {
  await lockScope(tx, `host-name ${request.zone} ${request.host}`);
  const { rowCount } = await tx.query(
    `insert into allocations as held (cell, kind, scope, key, tenant_id)
     select $1, 'host-name', $2, $3, $4::uuid where not exists (
       select from allocations
       where kind = 'host-name' and scope = $2 and key = $3 and tenant_id is distinct from $4::uuid)
     on conflict (cell, kind, scope, key) do update set tenant_id = excluded.tenant_id
     where held.tenant_id = excluded.tenant_id`,
    [request.cell, request.zone, request.host, request.tenantId],
  );
  return rowCount === 1;
}

/** Id of the tenant that holds a host name in a zone; undefined when it is free. */
export async function findHostHolder(
  db: Queryable,
  { zone, host }: { zone: string; host: string },
): Promise<string | undefined> {
  const answer = await db.query<{ tenantId: string }>(
    `select tenant_id as "tenantId" from allocations where kind = 'host-name' and scope = $1 and key = $2`,
    [zone, host],
  );
  return answer.rows[0]?.tenantId;
}

const nameHolder = z.object({ type: z.string(), name: z.string(), product: z.string(), slug: z.string() });
/** A name that another tenant of the installation has. */
export type NameHolder = z.output<typeof nameHolder>;

/** Takes the names of what a tenant is to be made of, in whichever cell; answers those that another tenant has. */
export async function reserveNames(
  tx: Queryable,
  request: { cell: string; tenantId: string; names: readonly { readonly type: string; readonly name: string }[] },
): Promise<NameHolder[]> {
  const types = request.names.map(({ type }) => type);
  const names = request.names.map(({ name }) => name);
  const { rowCount } = await tx.query(
    // In order, so that two tenants that want each other's names wait and do not deadlock.
    `insert into allocations (cell, kind, scope, key, tenant_id)
     select $1, 'resource-name', n.type, n.name, $2 from unnest($3::text[], $4::text[]) as n (type, name)
     order by n.type, n.name on conflict do nothing`,
    [request.cell, request.tenantId, types, names],
  );
  return rowCount === names.length ? [] : listHeldNames(tx, request.names, request.tenantId);
}

/** Which of these names another tenant has, in whichever cell. @param tenantId whose own do not count */
export async function listHeldNames(
  db: Queryable,
  names: readonly { readonly type: string; readonly name: string }[],
  tenantId?: string,
): Promise<NameHolder[]> {
  const answer = await db.query(
    `select a.scope as type, a.key as name, t.product, t.slug
     from unnest($2::text[], $3::text[]) as n (type, name)
     join allocations a on a.kind = 'resource-name' and a.scope = n.type and a.key = n.name
     join tenants t on t.id = a.tenant_id where a.tenant_id is distinct from $1 order by a.id`,
    [tenantId ?? null, names.map(({ type }) => type), names.map(({ name }) => name)],
  );
  return rowsOf(nameHolder, answer);
}

/** Gives back every place that a tenant holds, but for that of a notice which is not gone yet. */
export async function releaseAllocations(tx: Queryable, tenantId: string): Promise<void> {
  await tx.query('delete from allocations where tenant_id = $1 and step_id is distinct from $2', [
    tenantId,
    ISOLATION_STEP,
  ]);
}

/** Held until the transaction ends. */
async function lockScope(tx: Queryable, scope: string): Promise<void> {
  await lockScopes(tx, [scope]);
}

/** In the order given, in one round trip. */
async function lockScopes(tx: Queryable, scopes: readonly string[]): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended(scope, 0)) from unnest($1::text[]) as scope', [
    [...scopes],
  ]);
}
