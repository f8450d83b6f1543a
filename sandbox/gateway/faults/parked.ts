import { pendingCall, type PendingCall } from '../calls.ts';
import type { Call } from '../request.ts';

/** A call that is held at the gateway. */
export interface ParkedCall {
  readonly id: string;
  readonly ruleId: string;
  readonly when: 'before' | 'after';
  readonly call: PendingCall;
}

interface Held extends ParkedCall {
  readonly end: (how: 'released' | 'given-up') => void;
}

/** Calls that are held until somebody releases them or their callers give up. */
export class ParkingPlace {
  readonly #held = new Map<string, Held>();
  readonly #changed: () => void;
  #next = 1;

  /** `changed` is called whenever a call comes or goes. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Holds a call; resolves with how that ended. */
  hold(call: Call, ruleId: string, when: 'before' | 'after'): Promise<'released' | 'given-up'> {
    if (call.givenUp.aborted) return Promise.resolve('given-up');
    const id = `parked-${this.#next++}`;
    return new Promise((resolve) => {
      const end = (how: 'released' | 'given-up') => {
        this.#held.delete(id);
        call.givenUp.removeEventListener('abort', onGivenUp);
        resolve(how);
        this.#changed();
      };
      const onGivenUp = () => end('given-up');
      call.givenUp.addEventListener('abort', onGivenUp, { once: true });
      this.#held.set(id, { id, ruleId, when, call: pendingCall(call), end });
      this.#changed();
    });
  }

  /** Lets one call go on, or all of them; how many there were. */
  release(id?: string): number {
    const chosen = [...this.#held.values()].filter((held) => id === undefined || held.id === id);
    for (const held of chosen) held.end('released');
    return chosen.length;
  }

  /** Ends all as if their callers had given up: what has had no effect has none. */
  drop(): void {
    for (const held of this.#held.values()) held.end('given-up');
  }

  views(): ParkedCall[] {
    return [...this.#held.values()].map(({ end: _end, ...view }) => view);
  }
}
