import type {
  BookkeepingActivities,
  EnsureAnswer,
  ObserveAnswer,
  ObserveCall,
  RemoveAnswer,
  StepCall,
} from './messages.ts';

/** The verbs of a kind. */
export interface VerbCalls {
  readonly ensure: (call: StepCall) => Promise<EnsureAnswer>;
  readonly observe: (call: ObserveCall) => Promise<ObserveAnswer>;
  readonly remove: (call: StepCall) => Promise<RemoveAnswer>;
}

/** Activities of the verbs, named `<kind>.<verb>`. */
export type VerbActivities = Readonly<Record<`${string}.ensure`, VerbCalls['ensure']>> &
  Readonly<Record<`${string}.observe`, VerbCalls['observe']>> &
  Readonly<Record<`${string}.remove`, VerbCalls['remove']>>;

export type Activities = VerbActivities & BookkeepingActivities;
