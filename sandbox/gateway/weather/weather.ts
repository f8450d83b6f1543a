import type { CallFault, Passage } from '../calls.ts';
import type { Answer, Call } from '../request.ts';
import type { Clock } from '../time.ts';
import { faultAnswer } from './faults.ts';
import { LateEffects } from './late.ts';
import { ParkingPlace, type ParkedCall } from './parked.ts';
import { Rules, type FaultRuleView } from './rules.ts';
import type { Fault, FaultRule, WeatherSetting } from './setting.ts';

/** What the weather is, and what it has done. */
export interface WeatherView {
  readonly rules: readonly FaultRuleView[];
  readonly parked: readonly ParkedCall[];
  /** Late effects that are still to come. */
  readonly pendingLate: number;
}

/** A fault that strikes one call. */
interface Strike {
  readonly ruleId: string;
  readonly fault: Fault;
}

/** Carries out a call as if there were no weather. */
type Effect = () => Promise<Answer>;

/** Faults between the callers and AWS: by rules, and at random by a seed. At most one strikes a call. */
export class Weather {
  readonly #clock: Clock;
  readonly #rules = new Rules();
  readonly #parked: ParkingPlace;
  readonly #late: LateEffects;
  #quietWaiters: (() => void)[] = [];

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
    const changed = () => this.#tellWhenQuiet();
    this.#parked = new ParkingPlace(changed);
    this.#late = new LateEffects(clock, changed);
  }

  /** @throws RangeError when two rules have the same id; nothing is changed then. */
  set({ rules }: WeatherSetting): void {
    if (rules !== undefined) this.#rules.replace(rules ?? []);
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

  view(): WeatherView {
    return { rules: this.#rules.views(), parked: this.#parked.views(), pendingLate: this.#late.pending };
  }

  /** Resolves once no call is parked, no late effect is to come, and the call log says so. */
  async whenQuiet(): Promise<void> {
    if (this.#isQuiet()) return;
    await new Promise<void>((resolve) => this.#quietWaiters.push(resolve));
  }

  /** Ends what waits: parked calls go on (to callers that are gone), late effects have ended with the clock. */
  close(): void {
    this.#rules.replace([]);
    this.#parked.release();
    for (const resolve of this.#quietWaiters.splice(0)) resolve();
  }

  /** Lets a call pass, or be struck. */
  async pass(call: Call, effect: Effect): Promise<Passage> {
    const rule = this.#rules.strike(call);
    return rule ? this.#struck(call, { ruleId: rule.id, fault: rule.fault }, effect) : { reply: await effect() };
  }

  async #struck(call: Call, { ruleId, fault }: Strike, effect: Effect): Promise<Passage> {
    const struck: CallFault = { ruleId, type: fault.type };
    switch (fault.type) {
      case 'throttle':
        return { reply: faultAnswer(call, fault), fault: struck };
      case 'error': {
        const truth = fault.when === 'after' ? await effect() : undefined;
        return { reply: faultAnswer(call, fault), fault: struck, effect: truth };
      }
      case 'cut': {
        const truth = fault.when === 'after' ? await effect() : undefined;
        return { reply: { silence: 'cut' }, fault: struck, effect: truth };
      }
      case 'late': {
        const delayMs = Math.max(0, call.receivedAtMs + fault.effectAfterMs - Date.now());
        return { reply: { silence: 'hang' }, fault: struck, effect: this.#late.after(delayMs, effect) };
      }
      case 'slow': {
        const truth = await effect();
        await this.#clock.sleep(fault.delayMs);
        return { reply: truth, fault: struck };
      }
      case 'park':
        return this.#park(call, { ruleId, fault }, effect);
      case 'stale':
        return { reply: await effect() };
    }
  }

  async #park(call: Call, strike: Strike & { fault: { when: 'before' | 'after' } }, effect: Effect): Promise<Passage> {
    const { ruleId, fault } = strike;
    const struck: CallFault = { ruleId, type: 'park' };
    const truth = fault.when === 'after' ? await effect() : undefined;
    if ((await this.#parked.hold(call, ruleId, fault.when)) === 'given-up') {
      return { reply: { silence: 'cut' }, outcome: 'parked', fault: struck, effect: truth };
    }
    return { reply: truth ?? (await effect()), fault: struck };
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
