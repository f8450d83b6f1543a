import { setTimeout as sleep } from 'node:timers/promises';
import { expectRowsServed } from './account-rows.ts';
import { killedChanges } from './kill-operations.ts';
import { factsOf, isChange, type Direction, type KillPoint } from './kill-points.ts';
import { aim, type Target } from './kill-scene.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';
import type { Subject } from './stories.ts';
import { explained } from './tenant-report.ts';

/** Many tenants at once, and each kill takes seconds from all of them. */
export const limitMs = 300_000;
/** Points of each sort in a round. */
export const perRound = 7;

/**
 * What a round does with its tenants: makes them; takes active ones that it makes or has; takes changed ones, or those of which nothing
 * else is wanted.
 */
type Sort = 'provision' | 'change' | 'deprovision';

/** Points that no worker was killed at yet, and the tenants that they are tried on. */
export class KillTenants {
  /** Active tenants that were never changed. */
  readonly #unchanged: Record<Subject, Tenant[]> = { moamalat: [], 'accounts public': [], 'accounts private': [] };
  /** Those that were, but for accounts: to be deprovisioned in a later round. */
  readonly #changed: Tenant[] = [];
  /** Accounts that were moved, or not: to be deprovisioned at no certain point. */
  readonly #accounts: Tenant[] = [];
  readonly #open: Record<Sort, KillPoint[]> = { provision: [], change: [], deprovision: [] };
  readonly #world: ProcessWorld;

  constructor(world: ProcessWorld) {
    this.#world = world;
  }

  get left(): number {
    return Object.values(this.#open).reduce((sum, points) => sum + points.length, 0);
  }

  get #wanted(): number {
    return Math.min(perRound, this.#open.deprovision.length);
  }

  add(point: KillPoint): void {
    this.#open[sortOf(point.call.direction)].push(point);
  }

  /** An active tenant whose operation has ended. */
  keep(direction: Direction, tenant: Tenant): void {
    const { subject } = factsOf(direction);
    if (!isChange(direction)) this.#unchanged[subject].push(tenant);
    else (subject === 'moamalat' ? this.#changed : this.#accounts).push(tenant);
  }

  /** Those that no later round takes: a load balancer has room for some thirty. */
  takeSpare(): Tenant[] {
    return [...this.#changed.splice(this.#wanted), ...this.#accounts.splice(0)];
  }

  takeAll(): Tenant[] {
    return [...Object.values(this.#unchanged), this.#changed, this.#accounts].flatMap((tenants) => tenants.splice(0));
  }

  /** Brings a tenant that was made to where an operation begins. */
  async prepare(direction: Direction, tenant: Tenant): Promise<void> {
    const { subject } = factsOf(direction);
    if (isChange(direction)) await killedChanges[direction].prepare?.(this.#world, tenant);
    else if (subject !== 'moamalat') await expectRowsServed(this.#world, tenant);
  }

  ask(direction: Direction, tenant: Tenant): Promise<Tenant> {
    return isChange(direction) ? killedChanges[direction].ask(this.#world, tenant) : this.#world.delete(tenant);
  }

  /** Those whose call comes late begin first, so that all stand at their points together. */
  async startRound(round: number): Promise<Target[]> {
    const making = this.#open.provision.splice(0, perRound);
    const changing = await this.#withTenants(round, this.#open.change.splice(0, perRound));
    const pools = [this.#changed, this.#unchanged.moamalat];
    const spare = this.#open.change.length === 0 && changing.length === 0 ? pools.flat() : this.#changed;
    const leave = spare.slice(0, this.#wanted);
    const removing = this.#open.deprovision.splice(0, leave.length).map((point, n) => ({ point, tenant: leave[n]! }));
    for (const pool of pools) pool.splice(0, pool.length, ...pool.filter((tenant) => !leave.includes(tenant)));
    const points = [...making, ...[...changing, ...removing].map(({ point }) => point)];
    const latestMs = Math.max(...points.map(({ call }) => call.offsetMs));
    const inTime = ({ call }: KillPoint) => sleep(latestMs - call.offsetMs);
    return Promise.all([
      ...making.map(async (point, n) => {
        await inTime(point);
        const slug = `k${round}-${n}`;
        const { subject } = factsOf(point.call.direction);
        return aim(this.#world, point, slug, () => this.#world.create(slug, 'hold', subject));
      }),
      ...[...changing, ...removing].map(async ({ point, tenant }) => {
        await inTime(point);
        return aim(this.#world, point, tenant.slug, () => this.ask(point.call.direction, tenant));
      }),
    ]);
  }

  /** Tenants that were never changed, brought to where each operation begins. */
  #withTenants(round: number, points: readonly KillPoint[]): Promise<{ point: KillPoint; tenant: Tenant }[]> {
    return Promise.all(
      points.map(async (point, n) => {
        const { direction } = point.call;
        const { subject } = factsOf(direction);
        const slug = `c${round}-${n}`;
        const tenant = this.#unchanged[subject].pop() ?? (await this.#world.create(slug, 'hold', subject));
        await explained(this.#world, [tenant], () => this.#world.until(tenant, ['succeeded'], limitMs));
        await this.prepare(direction, tenant);
        return { point, tenant };
      }),
    );
  }
}

/** An account is made within seconds, so that each of them is removed by a point of its own. */
function sortOf(direction: Direction): Sort {
  const { sort, subject } = factsOf(direction);
  return sort === 'deprovision' && subject !== 'moamalat' ? 'change' : sort;
}
