import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { FINALIZE_STEP, type Blueprint, type Step } from '../src/contracts/blueprint.ts';
import type { Activities } from '../src/contracts/activities.ts';
import type { Verb } from '../src/contracts/kinds.ts';
import type { OperationState } from '../src/contracts/operation-state.ts';
import type { OperationType } from '../src/contracts/operation-table.ts';
import { hostIn } from '../src/products/places.ts';
import type { EnsureAnswer, ObserveAnswer, RemoveAnswer } from '../src/contracts/messages.ts';
import { verbOptions } from '../src/contracts/verbs.ts';
import { placeOnLoadBalancer, reserveHostName } from '../src/db/allocations.ts';
import { listLedger } from '../src/db/ledger.ts';
import { insertOperation } from '../src/db/operations.ts';
import { reserveSlug } from '../src/db/reservations.ts';
import { findTenant, insertTenant } from '../src/db/tenants.ts';
import { stepUnderTest, type Sample } from './sample.ts';
import type { Stand } from './stand.ts';
import { caller } from './caller.ts';

/** A tenant whose operation was accepted and claimed: its steps are made and taken back as the executor does it. */
export interface SampleTenant {
  readonly id: string;
  readonly slug: string;
  /** Undefined where the product's tenants have none. */
  readonly host: string | undefined;
  readonly operationId: string;
  readonly blueprint: Blueprint;
  /** The step under test. */
  readonly step: Step;
}

/** The slugs that tenants of samples get. */
export const SLUG = /c-[0-9a-f]{8}/g;

export interface AcceptOptions {
  readonly slug?: string | undefined;
  /** In the place of the sample's own. */
  readonly steps?: ((steps: readonly Step[]) => readonly Step[]) | undefined;
}

/** As many tenants as a wave has: only what they really make counts for the gateway's quotas. */
const NO_SHARE = { rules: 0, targetGroups: 0 };

/** As the API writes a tenant, and a run claims its operation. */
export async function acceptTenant(stand: Stand, sample: Sample, options: AcceptOptions = {}): Promise<SampleTenant> {
  const { cell, database } = stand;
  const [id, operationId] = [randomUUID(), randomUUID()];
  const { tier = null } = sample;
  const { name: product, places } = sample.product;
  const slug = options.slug ?? `c-${id.slice(0, 8)}`;
  const host = hostIn(cell, sample.product, slug);
  const steps = await database.transaction(async (tx) => {
    const row = {
      ...{ id, product, tier, slug, displayName: slug, contactEmail: 'ops@example.com' },
      ...{ cell: cell.id, hostName: host ?? null, tenantUrl: urlOf(host) ?? null },
    };
    await insertTenant(tx, row, caller);
    await reserveSlug(tx, { product, slug, tenantId: id });
    if (host !== undefined) await reserveHostName(tx, { cell: cell.id, zone: cell.hostedZone.id, host, tenantId: id });
    const isPlaced = places.includes('load-balancer');
    const loadBalancer = isPlaced
      ? ((await placeOnLoadBalancer(tx, cell, id, NO_SHARE)) ?? cell.loadBalancers[0])
      : undefined;
    const resolved = sample.steps({ cell, loadBalancer, tenantId: id, slug, tier, host });
    return options.steps?.(resolved) ?? resolved;
  });
  const blueprint: Blueprint = { version: 1, product, tier, cell: cell.id, steps: committed(steps, host) };
  const tenant = { id, slug, host, operationId, blueprint, step: stepUnderTest(steps) };
  await openOperation(stand, tenant);
  return tenant;
}

/** Another operation of the same tenant, whose blueprint has other steps; the one before is closed. */
export async function changeTenant(stand: Stand, tenant: SampleTenant, steps: readonly Step[]): Promise<SampleTenant> {
  await stand.database.query(`update operations set state = 'cancelled', closed_at = now() where id = $1`, [
    tenant.operationId,
  ]);
  const changed = {
    ...tenant,
    operationId: randomUUID(),
    step: stepUnderTest(steps),
    blueprint: { ...tenant.blueprint, steps: committed(steps, tenant.host) },
  };
  await openOperation(stand, changed);
  return changed;
}

async function openOperation(
  { book, cell, database }: Stand,
  { id, operationId, slug, blueprint }: SampleTenant,
  type: OperationType = 'provision',
): Promise<void> {
  book.register(operationId, blueprint.steps);
  await database.transaction(async (tx) => {
    await insertOperation(tx, {
      ...{ id: operationId, tenantId: id, cell: cell.id, type, onFailure: 'hold', holdMs: 60_000 },
      ...{ workflowId: `tenant.${blueprint.product}.${slug}`, blueprint },
      caller,
    });
  });
  await database.query(`update operations set state = 'running', run_id = 'run-1' where id = $1`, [operationId]);
  if (type === 'deprovision') {
    await database.query(`update tenants set status = 'deleting' where id = $1`, [id]);
    return;
  }
  await database.query(`update tenants set status = 'validating' where id = $1 and status = 'pending'`, [id]);
  await database.query(`update tenants set status = 'creating' where id = $1 and status = 'validating'`, [id]);
}

/** A blueprint has a commit that waits for everything. */
function committed(steps: readonly Step[], host: string | undefined): Step[] {
  if (steps.some(({ id }) => id === FINALIZE_STEP)) return [...steps];
  const needs = steps.map(({ id }) => id);
  const tenantUrl = urlOf(host);
  const spec = tenantUrl === undefined ? {} : { tenantUrl };
  return [...steps, { id: FINALIZE_STEP, kind: 'tenant-activation', needs, spec }];
}

function urlOf(host: string | undefined): string | undefined {
  return host === undefined ? undefined : `https://${host}`;
}

/** The verbs of a tenant's steps, called by a worker. */
export class StepDriver {
  readonly #stand: Stand;
  readonly #worker: Activities;
  tenant: SampleTenant;

  constructor(stand: Stand, tenant: SampleTenant, worker: Activities) {
    this.#stand = stand;
    this.#worker = worker;
    this.tenant = tenant;
  }

  /** One attempt. @throws ApplicationFailure */
  ensure(stepId = this.tenant.step.id): Promise<EnsureAnswer> {
    return this.#run(stepId, 'ensure');
  }
  remove(stepId = this.tenant.step.id): Promise<RemoveAnswer> {
    return this.#run(stepId, 'remove');
  }
  observe(want: 'ready' | 'gone', stepId = this.tenant.step.id): Promise<ObserveAnswer> {
    return this.#run(stepId, 'observe', { want, deadlineAtMs: Date.now() + 60_000 });
  }

  /** One look; what is not ready then is a failure. */
  observeOnce(stepId = this.tenant.step.id): Promise<ObserveAnswer> {
    return this.#run(stepId, 'observe', { want: 'ready', deadlineAtMs: Date.now() - 1 });
  }

  /** Makes what the step under test needs. */
  async makeNeeds(): Promise<void> {
    for (const { id } of this.needs()) await this.make(id);
    if (this.tenant.step.id === FINALIZE_STEP) await this.#setState('committing', ['running']);
  }

  /** Makes a step and waits until it is ready; attempts that may be tried again are. */
  async make(stepId = this.tenant.step.id): Promise<void> {
    await this.retried(stepId, 'ensure', () => this.ensure(stepId));
    await this.untilReady(stepId);
  }

  async untilReady(stepId = this.tenant.step.id): Promise<void> {
    // A commit ends the operation: nobody looks at it any more.
    if (stepId === FINALIZE_STEP) return;
    const answer = await this.#waitedFor(READY_SLICES, stepId, 'ready');
    if (answer.status !== 'done')
      throw new Error(`made, and not ready: ${await this.#thingsOf(stepId)}: ${answer.detail ?? ''}`);
  }

  /** From here on steps may only be removed: by the undo, or of a tenant that is active by its deprovisioning. */
  async beginUndo(): Promise<void> {
    if (!(await this.#isActive())) return this.#setState('rolling-back', ['running', 'committing']);
    this.tenant = { ...this.tenant, operationId: randomUUID() };
    await openOperation(this.#stand, this.tenant, 'deprovision');
  }

  /** Removes a step until it is gone, but for effects that may still land: answers whether any may. */
  async takeAway(stepId = this.tenant.step.id): Promise<boolean> {
    const answer = await this.retried(stepId, 'remove', () => this.remove(stepId));
    if (answer.status === 'removed') return answer.recheckAtMs !== undefined;
    const seen = await this.untilGone(stepId);
    return (seen.recheckAtMs ?? answer.recheckAtMs) !== undefined;
  }

  /** Looks once more, after the time in which an effect may land; removes what came back. */
  async lookOnceMore(stepId = this.tenant.step.id): Promise<void> {
    for (let returns = 0; ; returns += 1) {
      await this.letTimePass();
      const seen = await this.retried(stepId, 'observe', () => this.observe('gone', stepId));
      if (seen.status === 'done' && seen.recheckAtMs === undefined) return;
      if (returns === 3) throw new Error(`step ${stepId} came back after every removal: ${seen.detail ?? ''}`);
      if (seen.status !== 'done') await this.takeAway(stepId);
    }
  }

  /** The step under test, then what it needs. */
  async takeAllAway(): Promise<void> {
    await this.beginUndo();
    for (const { id } of [this.tenant.step, ...this.needs().reverse()])
      if (await this.takeAway(id)) await this.lookOnceMore(id);
  }

  /**
   * Ends the windows in which effects may land, as their time does. To be called when none is to come any more: whether windows are
   * long enough is judged by when effects landed.
   */
  async letTimePass(): Promise<void> {
    await this.#stand.database.query(
      'update steps set unclear_until = clock_timestamp() where tenant_id = $1 and unclear_until > clock_timestamp()',
      [this.tenant.id],
    );
  }

  needs(): Step[] {
    const { blueprint, step } = this.tenant;
    return blueprint.steps.filter(({ id }) => id !== step.id && id !== FINALIZE_STEP);
  }

  /** As Temporal does, by the table of verbs; its pauses are shorter, which leaves less time to pass. */
  async retried<A>(stepId: string, verb: Verb, attempt: () => Promise<A>): Promise<A> {
    const kind = this.#stand.kinds.kinds.get(this.#stepOf(stepId).kind);
    const { maximumAttempts } = verbOptions(kind?.limits, verb);
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.nonRetryable || attempts >= maximumAttempts) throw error;
        await sleep(Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS));
      }
    }
  }

  async untilGone(stepId = this.tenant.step.id): Promise<ObserveAnswer> {
    const seen = await this.#waitedFor(GONE_SLICES, stepId, 'gone');
    if (seen.status === 'done') return seen;
    if (seen.stands) {
      // An effect that came right after the removal made it anew: as the executor does, once more.
      const again = await this.retried(stepId, 'remove', () => this.remove(stepId));
      if (again.status === 'removed') return { status: 'done', recheckAtMs: again.recheckAtMs };
      const last = await this.#waitedFor(GONE_SLICES, stepId, 'gone');
      if (last.status === 'done') return last;
    }
    throw new Error(`removed, and still there: ${await this.#thingsOf(stepId)}: ${seen.detail ?? ''}`);
  }

  /** The executor's deadlines are longer than a test may take. */
  async #waitedFor(slices: number, stepId: string, want: 'ready' | 'gone'): Promise<ObserveAnswer> {
    for (let slice = 1; ; slice += 1) {
      const seen = await this.retried(stepId, 'observe', () => this.observe(want, stepId));
      if (seen.status === 'done' || slice === slices) return seen;
    }
  }

  /** Type and name of what the step makes, as the ledger has it. */
  async #thingsOf(stepId: string): Promise<string> {
    const rows = (await listLedger(this.#stand.database, this.tenant.id)).filter((row) => row.stepId === stepId);
    return rows.map(({ type, name }) => `${type} ${name}`).join(', ') || `step ${stepId}`;
  }

  #run<A>(stepId: string, verb: Verb, more: object = {}): Promise<A> {
    const name = `${this.#stepOf(stepId).kind}.${verb}` as keyof Activities;
    const call = { operationId: this.tenant.operationId, stepId, generation: 1, ...more };
    const environment = new MockActivityEnvironment(
      { attempt: 1, currentAttemptScheduledTimestampMs: Date.now() },
      { logger: new DefaultLogger('ERROR') },
    );
    return environment.run(() => (this.#worker[name] as (input: unknown) => Promise<A>)(call));
  }

  async #setState(state: OperationState, from: readonly OperationState[]): Promise<void> {
    await this.#stand.database.query('update operations set state = $2 where id = $1 and state = any($3)', [
      this.tenant.operationId,
      state,
      from,
    ]);
  }

  async #isActive(): Promise<boolean> {
    return (await findTenant(this.#stand.database, this.tenant.id))?.status === 'active';
  }

  #stepOf(stepId: string): Step {
    const step = this.tenant.blueprint.steps.find((s) => s.id === stepId);
    if (!step) throw new RangeError(`the sample has no step ${stepId}`);
    return step;
  }
}

/** Slices of 8 s of looks: AWS is quick here, and a slice of a busy machine has fewer looks. */
const GONE_SLICES = 4;
const READY_SLICES = 12;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Code, message and detail of the failure that an activity ends in. @throws Error when it succeeds */
export async function failureOf(call: Promise<unknown>): Promise<{ code: string; message: string; detail: string }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    const [details] = (error.details ?? []) as { code?: string; detail?: string }[];
    return { code: details?.code ?? error.type ?? '', message: error.message, detail: details?.detail ?? '' };
  }
  throw new Error('the verb succeeded');
}
