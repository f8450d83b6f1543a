import { setTimeout as sleep } from 'node:timers/promises';
import type { CallRecord } from '../../../sandbox/gateway/gateway.ts';
import { awsRule, isOfAws, isOfPostgres, lostAnswerRule, statementRule, type FaultCase, type Target } from './cases.ts';
import type { AwsPoint } from './points.ts';
import type { StatementPoint } from './statement-points.ts';
import type { MatrixWorld } from './world.ts';

interface Armed {
  readonly of: FaultCase;
  readonly hits: () => number;
  readonly remove: () => void;
}

const LOOK_EVERY_MS = 20;

/** The faults of one operation: armed for it alone, looked after, and lifted at its end. */
export class Faults {
  readonly #world: MatrixWorld;
  readonly #armed: Armed[] = [];
  readonly #ruleIds: string[] = [];

  constructor(world: MatrixWorld) {
    this.#world = world;
  }

  arm(cases: readonly FaultCase[], target: Target): void {
    for (const c of cases) {
      if (isOfPostgres(c)) this.#armStatement(c, target);
      else if (isOfAws(c)) this.#armCall(c, target);
    }
  }

  /** Whether this case's fault struck. */
  struck(of: FaultCase): boolean {
    return this.#armed.some((armed) => armed.of.id === of.id && armed.hits() > 0);
  }

  /** Resolves once any of the faults has struck, or when the operation is over. */
  async firstStrike(isOver: () => Promise<boolean>): Promise<void> {
    for (let looks = 1; !this.#armed.some((armed) => armed.hits() > 0); looks += 1) {
      if (looks % 25 === 0 && (await isOver())) return;
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Resolves when no late effect of these faults is to come any more. */
  async settled(): Promise<void> {
    const { gateway, proxy } = this.#world;
    if (this.#armed.some(({ of, hits }) => isOfPostgres(of) && of.fault === 'late' && hits() > 0))
      await proxy.whenQuiet();
    const late = this.#ruleIds.flatMap((id) => this.#world.struckBy(id)).filter(({ fault }) => fault?.type === 'late');
    for (const { seq } of late) while (gateway.calls(seq - 1)[0]?.effect === undefined) await sleep(200);
  }

  lift(): void {
    for (const { remove } of this.#armed) remove();
  }

  #armCall(of: FaultCase<AwsPoint>, target: Target): void {
    const { gateway } = this.#world;
    const lost = lostAnswerRule(of, target);
    const lostId = lost && gateway.addRule(lost);
    const id = gateway.addRule(awsRule(of, target));
    const { action, stepId, verb } = of.point;
    // What one rule hides of the past, another one hides too: a stale answer counts for the call that got it.
    const isHit = (call: CallRecord) =>
      call.action === action && call.caller.stepId === stepId && call.caller.verb === verb;
    const strikes = () => (of.fault === 'stale' ? this.#world.staleTo(target.operationId) : this.#world.struckBy(id));
    this.#armed.push({
      of,
      hits: () => strikes().filter(isHit).length,
      remove: () => {
        gateway.removeRule(id);
        if (lostId !== undefined) gateway.removeRule(lostId);
      },
    });
    this.#ruleIds.push(id);
  }

  #armStatement(of: FaultCase<StatementPoint>, target: Target): void {
    const { proxy } = this.#world;
    const id = proxy.addRule(statementRule(of, target));
    let lastHits = 0;
    const hits = () => Math.max(lastHits, proxy.hits(id));
    this.#armed.push({
      of,
      hits,
      remove: () => {
        lastHits = hits();
        proxy.removeRule(id);
      },
    });
  }
}
