import type { KindName } from './kinds.ts';
import type {
  BookkeepingActivities,
  EnsureAnswer,
  ObserveAnswer,
  ObserveCall,
  RemoveAnswer,
  StepCall,
} from './messages.ts';

/** Activities of the verbs, named `<kind>.<verb>`; the worker's registry `satisfies` this, so a missing verb fails the build. */
export type VerbActivities = { [K in KindName as `${K}.ensure`]: (call: StepCall) => Promise<EnsureAnswer> } & {
  [K in KindName as `${K}.observe`]: (call: ObserveCall) => Promise<ObserveAnswer>;
} & { [K in KindName as `${K}.remove`]: (call: StepCall) => Promise<RemoveAnswer> };

export type Activities = VerbActivities & BookkeepingActivities;
