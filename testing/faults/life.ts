import { z } from 'zod';
import type { CallRecord } from '../../sandbox/gateway/gateway.ts';
import { describeItem } from '../../sandbox/inventory/inventory.ts';
import { listNotRemoved } from '../../src/db/ledger.ts';
import { listLeftovers } from '../../src/db/leftovers.ts';
import { listSteps } from '../../src/db/steps.ts';
import type { Bench } from '../bench.ts';
import { shapeDifference, shapeOf, withoutResidue } from '../oracle.ts';
import { failureOf, type StepDriver } from '../tenant.ts';
import { isDenied, mustStrike, rulesOf, type FaultCase } from './faults.ts';
import { callsOf } from './points.ts';

/** One tenant whose step is made and removed while one fault strikes. Goes on in stretches, between which late effects land. */
export class FaultedLife {
  readonly of: FaultCase;
  readonly problems: string[] = [];
  readonly #bench: Bench;
  readonly #calmShape: readonly string[];
  #driver: StepDriver | undefined;
  #ruleIds: string[] = [];
  #hits = 0;
  /** An effect may still land, by the ledger: to be looked at once more. */
  #isUnclear = false;

  constructor(bench: Bench, of: FaultCase, calmShape: readonly string[]) {
    this.of = of;
    this.#bench = bench;
    this.#calmShape = calmShape;
  }

  /** How often the fault struck. */
  get hits(): number {
    return this.#hits;
  }

  get hasStruck(): boolean {
    return this.#hits > 0 || !mustStrike(this.of.fault);
  }

  /** Makes the step; where the fault ends the operation, the undo follows at once. */
  makes(): Promise<void> {
    return this.#noting('making', async () => {
      const driver = await this.#bench.tenant();
      this.#driver = driver;
      await driver.makeNeeds();
      const { phase, verb } = this.of.point;
      if (phase === 'making') this.#arm(driver);
      if (this.of.ending === 'goes on') return driver.make();
      const ensured = await driver
        .ensure()
        .then(() => true)
        .catch(() => false);
      if (ensured && verb === 'observe') await driver.observe('ready').catch(() => undefined);
      await driver.beginUndo();
      this.#isUnclear = await driver.takeAway();
    });
  }

  /** By the oracle, once no effect is to come any more. */
  judgeMade(): Promise<void> {
    return this.#noting('judging what was made', async (driver) => {
      this.problems.push(...restlessTokens(callsOf(this.#bench, driver)));
      if (this.of.ending !== 'goes on') return;
      const items = await this.#bench.stand.oracle.itemsOf(driver.tenant);
      const lines = shapeDifference(this.#calmShape, shapeOf(items, driver.tenant));
      const unlike = lines.filter((line) => !this.#isAllowedDouble(line));
      this.problems.push(...unlike.map((line) => `unlike one that was made in calm: ${line}`));
    });
  }

  removes(): Promise<void> {
    return this.#noting('removing', async (driver) => {
      if (this.of.ending !== 'goes on') return;
      if (this.of.point.phase === 'making') this.#disarm();
      await driver.beginUndo();
      if (this.of.point.phase === 'removing') this.#arm(driver);
      if (this.of.point.phase === 'removing' && isDenied(this.of.fault)) await this.#isRefused(driver);
      this.#isUnclear = await driver.takeAway();
    });
  }

  /** Looks once more where an effect could have landed, then removes what the step needed. */
  finishes(): Promise<void> {
    return this.#noting('finishing', async (driver) => {
      await this.#judgeWindow(driver);
      if (this.#isUnclear) await driver.lookOnceMore();
      this.#disarm();
      for (const { id } of driver.needs().reverse()) if (await driver.takeAway(id)) await driver.lookOnceMore(id);
    });
  }

  judgeGone(): Promise<void> {
    return this.#noting('judging what is left', async ({ tenant }) => {
      const { database, oracle } = this.#bench.stand;
      const left = withoutResidue(await oracle.itemsOf(tenant));
      const rows = await listNotRemoved(database, tenant.id);
      this.problems.push(...left.map((item) => `left over: ${describeItem(item)}`));
      this.problems.push(...rows.map(({ type, name }) => `not removed in the ledger: ${type} ${name}`));
    });
  }

  /** The step fails for good, and what is left of it is named. */
  async #isRefused(driver: StepDriver): Promise<void> {
    const { code } = await failureOf(driver.takeAway());
    if (code !== 'ACCESS_DENIED') this.problems.push(`a removal that was denied ended as ${code}`);
    const named = await listLeftovers(this.#bench.stand.database, driver.tenant.id);
    if (!named.some(({ stepId }) => stepId === driver.tenant.step.id))
      this.problems.push('a removal that was denied left a list without the step');
  }

  /** What landed late did so while the ledger still held the step for unclear; else nobody would look again. */
  async #judgeWindow({ tenant }: StepDriver): Promise<void> {
    const step = (await listSteps(this.#bench.stand.database, tenant.id)).find((s) => s.stepId === tenant.step.id);
    const late = this.#bench.stand.gateway
      .calls()
      .filter(({ caller, fault }) => fault?.type === 'late' && caller.operationId === tenant.operationId);
    for (const { action, effect } of late) {
      const landedAt = effect && Date.parse(z.iso.datetime().parse(effect.at));
      if (landedAt === undefined || step?.state !== 'removing' || step.unclearUntil === null) continue;
      if (landedAt > step.unclearUntil.getTime()) this.problems.push(`${action} landed after the window of its step`);
    }
  }

  #isAllowedDouble(line: string): boolean {
    const { fault, point } = this.of;
    const mayMakeTwice = this.#bench.sample.mayMakeTwice ?? [];
    // The first one is not to be seen yet when the call is made again: nothing could tell.
    const isUnseen = fault === 'late' || fault === 'lost-and-unseen';
    return isUnseen && mayMakeTwice.includes(`${point.service}:${point.action}`) && line.startsWith('+ ');
  }

  #arm({ tenant }: StepDriver): void {
    this.#ruleIds = rulesOf(this.of, tenant).map((rule) => this.#bench.stand.gateway.addRule(rule));
  }

  #disarm(): void {
    const { gateway } = this.#bench.stand;
    const [first] = this.#ruleIds;
    this.#hits += gateway.faults().rules.find(({ id }) => id === first)?.hits ?? 0;
    for (const id of this.#ruleIds.splice(0)) gateway.removeRule(id);
  }

  /** What goes wrong ends this life, and no other. */
  async #noting(what: string, work: (driver: StepDriver) => Promise<void>): Promise<void> {
    if (this.problems.length > 0) return;
    try {
      await work(this.#driver as StepDriver);
    } catch (error) {
      const tail = this.#driver ? callsOf(this.#bench, this.#driver).slice(-8) : [];
      const calls = tail.map(
        ({ caller, action, outcome, code }) => `${caller.verb ?? '?'} ${action} ${outcome} ${code ?? ''}`,
      );
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      this.problems.push(
        `${what}: ${error instanceof Error ? error.message : String(error)}${cause} [${calls.join(', ')}]`,
      );
      this.#disarm();
    }
  }
}

/** AWS knows a repeated request by its token: all attempts at one call have the same (design rule 11). */
function restlessTokens(calls: readonly CallRecord[]): string[] {
  const tokens = new Map<string, Set<string>>();
  for (const { service, action, resource = '', token } of calls) {
    if (token === undefined) continue;
    const key = `${service}:${action} ${resource}`;
    tokens.set(key, (tokens.get(key) ?? new Set()).add(token));
  }
  return [...tokens].filter(([, of]) => of.size > 1).map(([call]) => `${call} had another token at another attempt`);
}
