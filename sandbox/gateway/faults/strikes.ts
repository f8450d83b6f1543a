import type { CallFault, Passage } from '../calls.ts';
import type { Answer, Call } from '../request.ts';
import type { Clock } from '../time.ts';
import { faultAnswer } from './fault-answer.ts';
import type { LateEffects } from './late.ts';
import type { ParkingPlace } from './parked.ts';
import type { Fault } from './setting.ts';

/** A fault that strikes one call; a stale read is no strike, but a view of the past. */
export interface Strike {
  /** A rule's id, or `turbulence`. */
  readonly ruleId: string;
  readonly fault: StrikingFault;
}

export type StrikingFault = Exclude<Fault, { type: 'stale' }>;

/** Carries out a call as if no fault struck it. */
export type Effect = () => Promise<Answer>;

export interface StrikeParts {
  readonly clock: Clock;
  readonly parked: ParkingPlace;
  readonly late: LateEffects;
}

/** Lets a fault befall a call. */
export async function carryOut(parts: StrikeParts, call: Call, strike: Strike, effect: Effect): Promise<Passage> {
  const { ruleId, fault } = strike;
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
      return { reply: { silence: 'hang' }, fault: struck, effect: parts.late.after(delayMs, effect) };
    }
    case 'slow': {
      const truth = await effect();
      await parts.clock.sleep(fault.delayMs);
      return { reply: truth, fault: struck };
    }
    case 'park': {
      const truth = fault.when === 'after' ? await effect() : undefined;
      const end = await parts.parked.hold(call, ruleId, fault.when);
      if (end === 'released') return { reply: truth ?? (await effect()), fault: struck };
      return { reply: { silence: 'cut' }, outcome: 'parked', fault: struck, effect: truth };
    }
  }
}
