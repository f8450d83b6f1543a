import { closedOperationStates } from '../../src/contracts/operation-state.ts';
import { mayNotCome, type KillPoint } from './kill-points.ts';
import { progressAfter, type Progress } from './kill-progress.ts';
import { killAtBoundaries, missedBy, struckCallOf, untilParked, type Target } from './kill-scene.ts';
import type { ProcessWorld } from './process-world.ts';
import { recordResult } from './results.ts';
import { explained } from './tenant-report.ts';
import type { WorkerProcess } from './worker-process.ts';

/** One SIGKILL to all workers: when (epoch ms), of which, the how many-th. */
export interface Kill {
  readonly at: number;
  readonly apps: readonly string[];
  readonly sigkill: number;
}

/** Kills the workers of a world, with successors at once. */
export class Killer {
  readonly progress: Progress[] = [];
  /** Points of rows that no service wrote: there was no call to be killed at. */
  readonly vain: KillPoint[] = [];
  readonly #world: ProcessWorld;
  readonly #again: (point: KillPoint) => void;
  /** Two, because each keeps to AWS's rates by itself: one would make the tenants of a round wait for each other. */
  #workers: WorkerProcess[] = [];
  /** When (epoch ms). */
  readonly #sigkills: number[] = [];
  /** How often a call did not end as its point says, or did not come, by the point's id. */
  readonly #unmeant = new Map<string, number>();

  /** @param again takes a point once more that was not met as it is meant */
  constructor(world: ProcessWorld, again: (point: KillPoint) => void) {
    this.#world = world;
    this.#again = again;
  }

  get workers(): readonly WorkerProcess[] {
    return this.#workers;
  }

  async startWorkers(): Promise<void> {
    this.#workers = await Promise.all([this.#world.startWorker(), this.#world.startWorker()]);
  }

  /** Kills all that run and starts others. Answers when that was, and the how many-th. */
  async killAll(): Promise<{ readonly at: number; readonly sigkill: number }> {
    const [at = Date.now()] = await Promise.all(this.#workers.map((worker) => worker.killHard()));
    this.#sigkills.push(at);
    this.#world.wire.letGo();
    await this.startWorkers();
    return { at, sigkill: this.#sigkills.length };
  }

  /** Kills at the targets' points, as often as it takes. Those that were not met are not in the answer. */
  async strike(targets: readonly Target[]): Promise<Map<Target, Kill>> {
    const kills = new Map<Target, Kill>();
    for (let left = [...targets]; left.length > 0;) {
      const tenants = left.map(({ tenant }) => tenant);
      const there = await explained(this.#world, tenants, () =>
        untilParked(this.#world, left, (target) => this.#isOver(target)),
      );
      if (!there) {
        for (const target of left) this.#missed(target, new Error(`never called: ${target.ruleId}`));
        return kills;
      }
      const { at, hit } = await explained(this.#world, tenants, () =>
        killAtBoundaries(this.#world, this.#workers, left),
      );
      this.#sigkills.push(at);
      const kill = { at, apps: this.#workers.map(({ app }) => app), sigkill: this.#sigkills.length };
      for (const target of hit) kills.set(target, kill);
      await this.startWorkers();
      left = left.filter((target) => !hit.includes(target));
      // Their points are taken once more, with another tenant.
      const missed = missedBy(this.#world, left);
      for (const { point } of missed) this.#again(point);
      left = left.filter((target) => !missed.includes(target));
    }
    return kills;
  }

  /** Writes down how a target went on after its kill, unless that was not as its point says. */
  async note(target: Target, kill: Kill, outcome: string): Promise<void> {
    try {
      struckCallOf(this.#world, target, kill.at);
    } catch (error) {
      // On a busy machine a call may give up before its worker is killed.
      this.#missed(target, error);
      return;
    }
    const went = await progressAfter(this.#world, target, kill, this.#sigkills);
    this.progress.push(went);
    const { boundary, call } = target.point;
    recordResult('kill', {
      boundary,
      operation: call.direction,
      step: call.stepId,
      verb: call.verb,
      call: `${call.service}:${call.action}`,
      progressMs: went.operationMs,
      ...(went.stepMs === undefined ? {} : { stepProgressMs: went.stepMs }),
      workersLostBefore: went.workersLostBefore,
      sigkill: kill.sigkill,
      outcome,
    });
  }

  /** The point is taken once more, twice at most. */
  #missed({ point }: Target, why: unknown): void {
    const tries = (this.#unmeant.get(point.id) ?? 0) + 1;
    this.#unmeant.set(point.id, tries);
    if (tries <= MOST_TRIES) this.#again(point);
    else if (mayNotCome(point)) this.vain.push(point);
    else throw why;
  }

  async #isOver({ tenant }: Target): Promise<boolean> {
    const { operation } = await this.#world.api.status(tenant.tenantId);
    const closed: readonly string[] = closedOperationStates;
    return operation.operationId === tenant.operationId && closed.includes(operation.state);
  }
}

const MOST_TRIES = 2;
