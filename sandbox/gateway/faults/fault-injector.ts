import type { Passage } from '../calls.ts';
import type { Answer, Call } from '../request.ts';
import type { Clock } from '../time.ts';
import { LateEffects } from './late.ts';
import { ParkingPlace, type ParkedCall } from './parked.ts';
import { Rules, type FaultRuleView } from './rules.ts';
import type { Fault, FaultRule, FaultSetting } from './setting.ts';
import { StaleReads } from './stale.ts';
import { carryOut, type Effect } from './strikes.ts';
import { TurbulenceSource, type TurbulenceView } from './turbulence.ts';

/** Which faults are set, and what was injected. */
export interface FaultsView {
  readonly rules: readonly FaultRuleView[];
  readonly parked: readonly ParkedCall[];
  /** Absent when no random faults are set. */
  readonly turbulence?: TurbulenceView;
  /** Late effects that are still to come. */
  readonly pendingLate: number;
}

export interface FaultInjectorParts {
  readonly clock: Clock;
  /** Carries out a read without fault or limit. */
  readonly ask: (call: Call) => Promise<Answer>;
}

const turbulenceId = 'turbulence';

/** Faults between the callers and AWS: by rules, and at random by a seed. At most one strikes a call; rules come first. */
export class FaultInjector {
  readonly #clock: Clock;
  readonly #rules = new Rules();
  readonly #parked: ParkingPlace;
  readonly #late: LateEffects;
  readonly #stale: StaleReads;
  #turbulence: TurbulenceSource | undefined;
  #quietWaiters: (() => void)[] = [];

  constructor({ clock, ask }: FaultInjectorParts) {
    this.#clock = clock;
    const changed = () => this.#tellWhenQuiet();
    this.#parked = new ParkingPlace(changed);
    this.#late = new LateEffects(clock, changed);
    this.#stale = new StaleReads(ask);
  }

  /** @throws RangeError when two rules have the same id; nothing is changed then. */
  set({ rules, turbulence }: FaultSetting): void {
    if (rules !== undefined) this.#rules.replace(rules ?? []);
    if (turbulence !== undefined) this.#turbulence = turbulence ? new TurbulenceSource(turbulence) : undefined;
  }

  /** Answers the rule's id. @throws RangeError when it is taken. */
  addRule(rule: FaultRule): string {
    return this.#rules.add(rule);
  }

  /** Whether there was one. */
  removeRule(id: string): boolean {
    return this.#rules.remove(id);
  }

  /** Lets one parked call go on, or all; how many there were. */
  release(parkedId?: string): number {
    return this.#parked.release(parkedId);
  }

  view(): FaultsView {
    const turbulence = this.#turbulence?.view();
    return {
      rules: this.#rules.views(),
      parked: this.#parked.views(),
      ...(turbulence && { turbulence }),
      pendingLate: this.#late.pending,
    };
  }

  /** Resolves once no call is parked, no late effect is to come, and the call log says so. */
  async whenQuiet(): Promise<void> {
    if (this.#isQuiet()) return;
    await new Promise<void>((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Ends what waits: parked calls get no answer (nor an effect, before it), late effects never come. The clock must have stopped. */
  close(): void {
    this.set({ rules: null, turbulence: null });
    this.#parked.drop();
    this.#late.drop();
    for (const resolve of this.#quietWaiters.splice(0)) resolve();
  }

  /** Lets a call pass, or be struck. */
  async pass(call: Call, effect: Effect): Promise<Passage> {
    const strike = this.#rules.strike(call);
    const drawn = this.#turbulence?.draw(call);
    const seen = this.#asSeenByReaders(call, drawn, effect);
    const parts = { clock: this.#clock, parked: this.#parked, late: this.#late };
    if (strike) return carryOut(parts, call, strike, seen);
    if (drawn && drawn.type !== 'stale') {
      this.#turbulence?.hit(drawn.type);
      return carryOut(parts, call, { ruleId: turbulenceId, fault: drawn }, seen);
    }
    return call.kind === 'read' ? this.#read(call, effect) : { reply: await seen() };
  }

  /** A change is carried out so that those who shall see it late do. */
  #asSeenByReaders(call: Call, drawn: Fault | undefined, effect: Effect): Effect {
    if (call.kind === 'read') return effect;
    const stalenesses = this.#rules.stalenesses(call);
    const turbulence = this.#turbulence;
    if (turbulence && drawn?.type === 'stale') {
      const hit = () => turbulence.hit('stale');
      const isArmed = () => this.#turbulence === turbulence;
      stalenesses.push({ id: turbulenceId, forMs: drawn.forMs, isArmed, see: () => true, hit });
    }
    return () => this.#stale.change(call, stalenesses, effect);
  }

  async #read(call: Call, effect: Effect): Promise<Passage> {
    const fresh = await effect();
    const { answer, staleness: source } = this.#stale.look(call, fresh);
    if (!source) return { reply: fresh };
    return { reply: answer, outcome: 'stale', fault: { ruleId: source.id, type: 'stale' }, effect: fresh };
  }

  #isQuiet(): boolean {
    return this.#parked.views().length === 0 && this.#late.pending === 0;
  }

  /** Not at once: whoever waits finds what has just ended in the call log. */
  #tellWhenQuiet(): void {
    setImmediate(() => {
      if (this.#isQuiet()) for (const resolve of this.#quietWaiters.splice(0)) resolve();
    });
  }
}
