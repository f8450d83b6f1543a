import type { Logger } from 'pino';
import { inCallContext } from '../aws/call-context.ts';
import { createProbe, type Probe } from '../aws/probe.ts';
import type { CellAws } from '../aws/cell-aws.ts';
import { healthLimits, type HealthCellAnswer, type HealthCellInput } from '../contracts/health.ts';
import type { Platform } from '../contracts/platform.ts';
import { DatabaseUnavailableError, type Database } from '../db/database.ts';
import { forgetHealth, listDueForHealth, recordHealthChange, recordLooks } from '../db/tenant-health.ts';
import type { DueTenant, HealthChange, Look } from '../db/tenant-health.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { cellById } from '../platform.ts';
import { systemCaller } from '../process-caller.ts';
import type { Product } from '../products/product.ts';
import { createAskedSteps, type Asked, type AskedStep } from './asked-steps.ts';
import { explain } from './explanation.ts';
import { sideBySide } from './side-by-side.ts';
import { countResult } from './streak.ts';
import { createTelling } from './telling.ts';
import { seenOf, verdictOf, type Check, type Surroundings, type Verdict } from './verdict.ts';
import { createWay, type Way } from './way.ts';

export interface HealthDeps {
  readonly database: Database;
  readonly platform: Platform;
  /** The adapters of a cell, by its id. */
  readonly aws: (cellId: string) => CellAws;
  readonly kinds: KindRegistry;
  readonly products: Readonly<Record<string, Pick<Product, 'criticalSteps'>>>;
  readonly log: Logger;
  readonly times?: Partial<HealthTimes> | undefined;
}

/** In ms. */
export interface HealthTimes {
  /** An address that takes longer does not answer. */
  readonly answerWithinMs: number;
  /** After that no further tenant is looked at: those left are the first of the next round. */
  readonly roundMs: number;
}
const usualTimes: HealthTimes = { answerWithinMs: 5_000, roundMs: healthLimits.roundMs };

/** Tenants that are asked at a time in a cell: so many that hang hold the others up for one time-out. */
const ASKED_AT_ONCE = 50;
/** Tenants whose looks are recorded together. */
const RECORDED_AT_ONCE = 100;

export interface RoundControl {
  readonly signal: AbortSignal;
  /** Called with the number of tenants that are done. */
  readonly onProgress: (done: number) => void;
}

/** Looks at tenants of a cell. One per worker: it remembers what each tenant is asked. */
export function createRounds(deps: HealthDeps) {
  const newAskedSteps = () => createAskedSteps(deps.database, deps.kinds.kinds);
  const ofCells = new Map(deps.platform.cells.map(({ id }) => [id, newAskedSteps()]));
  const beforeMutation = () => Promise.reject(new Error('a look changes nothing'));
  return ({ cell, round }: HealthCellInput, control: RoundControl): Promise<HealthCellAnswer> =>
    inCallContext({ beforeMutation, signal: control.signal }, async () => {
      await forgetHealth(deps.database, cell);
      const at = new Date(round);
      const due = await listDueForHealth(deps.database, cell, at);
      const askedSteps = ofCells.get(cell) ?? newAskedSteps();
      const asked = await askedSteps(due.map(({ operationId }) => operationId));
      const watched = due.filter(({ operationId }) => isWatched(asked.get(operationId)));
      const probe = createProbe(cellById(deps.platform, cell), { ...usualTimes, ...deps.times }.answerWithinMs);
      return new Round(deps, { cell, at, asked, probe, way: createWay(probe) }, control).look(watched);
    });
}

/** Nothing is known of a tenant that has nothing to ask. */
function isWatched(asked: Asked = []): boolean {
  return 'unreadable' in asked || asked.length > 0;
}

interface RoundParts {
  readonly cell: string;
  readonly at: Date;
  /** By operation. */
  readonly asked: ReadonlyMap<string, Asked>;
  readonly probe: Probe;
  readonly way: Way;
}

const closedWay: Surroundings = { tookMs: 0, isWayOpen: false, isBusy: false };
/** The share of the time in which the worker's event loop was at work. */
const BUSY = 0.7;
/** How many tenants a round asks AWS about: more that fail at once have one cause. */
const EXPLAINED_PER_ROUND = 50;

class Round {
  readonly #deps: HealthDeps;
  readonly #parts: RoundParts;
  readonly #control: RoundControl;
  #tell: ReturnType<typeof createTelling>;
  readonly #endMs: number;
  readonly #unchanged: Look[] = [];
  #explanationsLeft = EXPLAINED_PER_ROUND;
  #looked = 0;
  #changed = 0;

  constructor(deps: HealthDeps, parts: RoundParts, control: RoundControl) {
    this.#deps = deps;
    this.#parts = parts;
    this.#control = control;
    this.#endMs = performance.now() + { ...usualTimes, ...deps.times }.roundMs;
    this.#tell = createTelling(deps.log, parts.cell, []);
  }

  async look(due: readonly DueTenant[]): Promise<HealthCellAnswer> {
    const { signal } = this.#control;
    const unknown = due.filter(({ streak }) => streak?.status === 'unknown');
    const known = unknown.flatMap((tenant) => this.#stepsOf(tenant).map(({ request }) => request.loadBalancerArn));
    this.#tell = createTelling(this.#deps.log, this.#parts.cell, known);
    await sideBySide(due, { atOnce: ASKED_AT_ONCE, signal }, async (tenant, ended) => {
      if (performance.now() > this.#endMs) return false;
      if (!(await this.#lookAlone(tenant, ended))) return true;
      this.#looked += 1;
      this.#control.onProgress(this.#looked);
      if (this.#unchanged.length >= RECORDED_AT_ONCE) await this.#record();
      return true;
    });
    await this.#record();
    const { cell } = this.#parts;
    return { cell, looked: this.#looked, left: due.length - this.#looked, changed: this.#changed };
  }

  #stepsOf({ operationId }: DueTenant): readonly AskedStep[] {
    const asked = this.#parts.asked.get(operationId) ?? [];
    return 'unreadable' in asked ? [] : asked;
  }

  #unreadable({ operationId }: DueTenant): Verdict | undefined {
    const asked = this.#parts.asked.get(operationId) ?? [];
    return 'unreadable' in asked ? { status: 'unknown', reason: asked.unreadable } : undefined;
  }

  /** One tenant whose look fails does not end the others'. @returns whether it was looked at */
  async #lookAlone(tenant: DueTenant, ended: AbortSignal): Promise<boolean> {
    try {
      await this.#lookAt(tenant, ended);
      return true;
    } catch (error) {
      if (ended.aborted || error instanceof DatabaseUnavailableError) throw error;
      const { tenantId, slug } = tenant;
      this.#deps.log.error({ err: error, cell: this.#parts.cell, tenantId, slug }, 'the look at a tenant failed');
      return false;
    }
  }

  #record(): Promise<void> {
    return recordLooks(this.#deps.database, this.#parts.at, this.#unchanged.splice(0));
  }

  async #lookAt(tenant: DueTenant, ended: AbortSignal): Promise<void> {
    const steps = this.#stepsOf(tenant);
    const checks = await Promise.all(steps.map((step) => this.#check(tenant, step)));
    // Cut off by the end of the attempt: nothing was seen.
    ended.throwIfAborted();
    const { status: result, reason } = this.#unreadable(tenant) ?? verdictOf(checks);
    const { results, becomes } = countResult(tenant.streak ?? undefined, result);
    const { tenantId, slug } = tenant;
    const look: Look = { tenantId, slug, result, results };
    if (becomes === undefined) this.#unchanged.push(look);
    else {
      const change = { ...look, from: tenant.streak?.status ?? null, to: becomes };
      await this.#change({ ...change, reason: await this.#why({ checks, steps, reason }) }, steps);
    }
  }

  async #check({ product }: DueTenant, { stepId, request }: AskedStep): Promise<Check> {
    const { probe, way } = this.#parts;
    const isCritical = this.#deps.products[product]?.criticalSteps?.includes(stepId) ?? true;
    if (way.isKnownClosed(request.loadBalancerArn))
      return { stepId, isCritical, ...seenOf({ error: 'its load balancer answers nobody' }, closedWay) };
    const began = performance.now();
    const load = performance.eventLoopUtilization();
    const answer = await probe.ask(request);
    const tookMs = performance.now() - began;
    const isBusy = performance.eventLoopUtilization(load).utilization > BUSY;
    const isWayOpen = 'status' in answer || (await way.isOpen(request));
    return { stepId, isCritical, ...seenOf(answer, { tookMs, isWayOpen, isBusy }) };
  }

  async #why(seen: Parameters<typeof explain>[2]): Promise<string | null> {
    if (this.#explanationsLeft <= 0) return seen.reason;
    this.#explanationsLeft -= 1;
    return explain(this.#deps, this.#parts.cell, seen);
  }

  async #change(change: HealthChange, steps: readonly AskedStep[]): Promise<void> {
    const { at, way } = this.#parts;
    const closed = steps.map(({ request }) => request.loadBalancerArn).filter((arn) => way.isKnownClosed(arn));
    const recorded = await recordHealthChange(this.#deps.database, at, change, systemCaller('health check'), () =>
      this.#tell({ ...change, closedLoadBalancers: closed }),
    );
    if (recorded) this.#changed += 1;
  }
}
