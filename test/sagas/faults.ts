import type { Kind, StepContext } from '../../src/kinds/framework/kind.ts';
import { StepError } from '../../src/contracts/step-error.ts';

/** Where a failure strikes: at a step's verb, before the kind did anything or after all of it was done. */
export interface Fault {
  readonly stepId: string;
  readonly verb: 'ensure' | 'remove';
  readonly when: 'before' | 'after';
}

/** What the kinds of a saga run do besides their work. */
export interface Weather {
  /** Each strikes at every attempt until it is taken out. */
  faults: readonly Fault[];
  /** Every `ensure` or `remove` is done twice in a row; the second answer counts. */
  twice: 'ensure' | 'remove' | undefined;
  /** Where faults struck, once per time. */
  struck: string[];
}

/** The real kinds in this weather: what fails is the kind's own work, inside the ledger's wrapper. */
export function inWeather(kinds: readonly Kind[], weather: Weather): Kind[] {
  return kinds.map((kind) => exposed(kind, weather));
}

function exposed(kind: Kind, weather: Weather): Kind {
  return {
    ...kind,
    ensure: (context) => struck(weather, 'ensure', context, () => kind.ensure(context)),
    // What the first of two removals took, the second cannot see.
    remove: async (context) => {
      const removed = await struck(weather, 'remove', context, () => kind.remove(context));
      return weather.twice === 'remove' ? { ...removed, missing: false } : removed;
    },
  };
}

async function struck<A>(
  weather: Weather,
  verb: Fault['verb'],
  context: StepContext,
  act: () => Promise<A>,
): Promise<A> {
  const strikes = weather.faults.find((f) => f.stepId === context.stepId && f.verb === verb)?.when;
  if (strikes === 'before') throw injected(weather, context.stepId);
  const answer = await act();
  if (strikes === 'after') throw injected(weather, context.stepId);
  return weather.twice === verb ? act() : answer;
}

function injected(weather: Weather, stepId: string): StepError {
  weather.struck.push(stepId);
  return new StepError('INVALID_REQUEST', `injected failure of ${stepId}`);
}
