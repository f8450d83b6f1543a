import type { Kind, StepContext } from '../../src/kinds/framework/kind.ts';
import { StepError } from '../../src/contracts/step-error.ts';

/** Where a failure strikes: at a step's verb, before the kind did anything or after all of it was done. */
export interface Fault {
  /** The tenant that it strikes; every one by default. */
  readonly slug?: string;
  readonly stepId: string;
  readonly verb: 'ensure' | 'remove';
  readonly when: 'before' | 'after';
  /** It strikes what is brought back to the applied blueprint, and nothing else. */
  readonly goesBack?: true;
}

/** What the kinds of a saga run do besides their work. */
export interface FaultInjection {
  /** Each strikes at every attempt until it is taken out. */
  faults: readonly Fault[];
  /** Every `ensure` or `remove` of these tenants is done twice in a row; the second answer counts. */
  twice: readonly { readonly slug: string; readonly verb: Fault['verb'] }[];
  /** Where faults struck, once per time. */
  struck: { readonly slug: string; readonly stepId: string }[];
}

/** The real kinds with these faults: what fails is the kind's own work, inside the ledger's wrapper. */
export function withFaultInjection(kinds: readonly Kind[], injection: FaultInjection): Kind[] {
  return kinds.map((kind) => exposed(kind, injection));
}

function exposed(kind: Kind, injection: FaultInjection): Kind {
  return {
    ...kind,
    ensure: (context) => struck(injection, 'ensure', context, () => kind.ensure(context)),
    // What the first of two removals took, the second cannot see.
    remove: async (context) => {
      const removed = await struck(injection, 'remove', context, () => kind.remove(context));
      return isTwice(injection, 'remove', context) ? { ...removed, missing: false } : removed;
    },
  };
}

async function struck<A>(
  injection: FaultInjection,
  verb: Fault['verb'],
  context: StepContext,
  act: () => Promise<A>,
): Promise<A> {
  const { stepId, tenant } = context;
  // A way back is to work where nothing else is asked for: what it meets is another property.
  const isHere = (fault: Fault) =>
    (context.goesBack === true) === (fault.goesBack === true) &&
    fault.stepId === stepId &&
    fault.verb === verb &&
    (fault.slug ?? tenant.slug) === tenant.slug;
  const strikes = injection.faults.find(isHere)?.when;
  if (strikes === 'before') throw injected(injection, context);
  const answer = await act();
  if (strikes === 'after') throw injected(injection, context);
  return isTwice(injection, verb, context) ? act() : answer;
}

function isTwice({ twice }: FaultInjection, verb: Fault['verb'], { tenant }: StepContext): boolean {
  return twice.some((wanted) => wanted.slug === tenant.slug && wanted.verb === verb);
}

function injected(injection: FaultInjection, { stepId, tenant }: StepContext): StepError {
  injection.struck.push({ slug: tenant.slug, stepId });
  return new StepError('INVALID_REQUEST', `injected failure of ${stepId}`);
}
