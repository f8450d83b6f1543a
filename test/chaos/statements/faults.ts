import { setTimeout as sleep } from 'node:timers/promises';
import { statementRule, type FaultCase, type Target } from './cases.ts';
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

  constructor(world: MatrixWorld) {
    this.#world = world;
  }

  arm(cases: readonly FaultCase[], target: Target): void {
    for (const of of cases) this.#arm(of, target);
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
    if (this.#armed.some(({ of, hits }) => of.fault === 'late' && hits() > 0)) await this.#world.proxy.whenQuiet();
  }

  lift(): void {
    for (const { remove } of this.#armed) remove();
  }

  #arm(of: FaultCase, target: Target): void {
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
