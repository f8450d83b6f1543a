import { createHash } from 'node:crypto';
import type { Call } from '../request.ts';
import { serverErrorCode } from './fault-answer.ts';
import { matches } from './match.ts';
import type { Fault, FaultType, Turbulence } from './setting.ts';

/** Turbulence in force, and what it has done. */
export interface TurbulenceView extends Turbulence {
  /** Every type's rate, the defaults included. */
  readonly rates: Readonly<Record<RandomFault, number>>;
  /** Calls that it was drawn for. */
  readonly calls: number;
  /** Calls that it struck. */
  readonly hits: Readonly<Record<RandomFault, number>>;
}

type RandomFault = Exclude<FaultType, 'park'>;

/** About one call in twenty altogether: few changes that are seen late are looked at in time. */
export const defaultRates: Readonly<Record<RandomFault, number>> = {
  error: 0.012,
  cut: 0.012,
  late: 0.008,
  slow: 0.008,
  throttle: 0.01,
  stale: 0.15,
};

/** Draws random faults, each decided by a hash alone: see {@link Turbulence}. */
export class TurbulenceSource {
  readonly #given: Turbulence;
  readonly #rates: Readonly<Record<RandomFault, number>>;
  readonly #hits: Record<RandomFault, number> = { error: 0, cut: 0, late: 0, slow: 0, throttle: 0, stale: 0 };
  readonly #operations = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #calls = 0;

  constructor(given: Turbulence) {
    this.#given = given;
    const { park: _park, ...rates } = given.rates ?? {};
    this.#rates = { ...defaultRates, ...definedOf(rates) };
  }

  /** The fault that strikes this call, if one does. Its hit is counted with {@link hit}. */
  draw(call: Call): Fault | undefined {
    const { match = {}, everyCaller = false, seed } = this.#given;
    if ((call.caller.operationId === undefined && !everyCaller) || !matches(match, call)) return undefined;
    this.#calls += 1;
    const drawn = numbersOf(`${seed}|${this.#nameOf(call)}`);
    const type = this.#typeAt(drawn[0], call.kind);
    return type && faultOf(type, call, drawn);
  }

  hit(type: FaultType): void {
    if (type !== 'park') this.#hits[type] += 1;
  }

  view(): TurbulenceView {
    return { ...this.#given, rates: this.#rates, calls: this.#calls, hits: { ...this.#hits } };
  }

  /**
   * Tells this call from all others, and is the same again in a run with the same seed although names hold random ids:
   * an operation is named by its place among those seen.
   */
  #nameOf({ service, action, caller, resource = '' }: Call): string {
    const { operationId, stepId = '', verb = '' } = caller;
    const subject = operationId === undefined ? resource : `${this.#placeOf(operationId)}/${stepId}/${verb}`;
    const name = `${service}|${action}|${subject}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return `${name}|${count}`;
  }

  #placeOf(operationId: string): number {
    const place = this.#operations.get(operationId) ?? this.#operations.size + 1;
    this.#operations.set(operationId, place);
    return place;
  }

  #typeAt(drawn: number, kind: Call['kind']): RandomFault | undefined {
    let ceiling = 0;
    for (const type of randomFaults) {
      ceiling += type === 'stale' && kind === 'read' ? 0 : this.#rates[type];
      if (drawn < ceiling) return type;
    }
    return undefined;
  }
}

const randomFaults: readonly RandomFault[] = ['error', 'cut', 'late', 'slow', 'throttle', 'stale'];

function faultOf(type: RandomFault, { service }: Call, [, half, span]: readonly [number, number, number]): Fault {
  const when = half < 0.5 ? 'before' : 'after';
  const between = (least: number, most: number) => Math.round(least + span * (most - least));
  switch (type) {
    case 'error':
      return { type, when, code: serverErrorCode(service) };
    case 'cut':
      return { type, when };
    case 'late':
      // Beyond every client's time-out, within the 30 s that the product takes the latest effects to need.
      return { type, effectAfterMs: between(6_000, 20_000) };
    case 'slow':
      return { type, delayMs: between(300, 4_000) };
    case 'throttle':
      return { type };
    case 'stale':
      return { type, forMs: between(1_000, 3_000) };
  }
}

/** Three independent numbers in [0, 1). */
function numbersOf(name: string): readonly [number, number, number] {
  const digest = createHash('sha256').update(name).digest();
  const at = (offset: number) => digest.readUIntBE(offset, 6) / 2 ** 48;
  return [at(0), at(6), at(12)];
}

function definedOf<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
