export const openOperationStates = ['accepted', 'running', 'holding', 'committing', 'rolling-back', 'stuck'] as const;
export const closedOperationStates = [
  'succeeded',
  'rolled-back',
  'cancelled',
  'abandoned',
  'superseded',
  'withdrawn',
] as const;

export type OpenOperationState = (typeof openOperationStates)[number];
export type ClosedOperationState = (typeof closedOperationStates)[number];
export type OperationState = OpenOperationState | ClosedOperationState;

/** What a failed operation does: take everything back at once, or hold for an operator first (design rule 6). */
export type OnFailure = 'hold' | 'rollback';

/** How long a hold lasts by default, in ms. */
export const DEFAULT_HOLD_MS = 30 * 60_000;

/**
 * Allowed transitions of an operation's state; every change in the database is a compare-and-swap along this table. `stuck`
 * follows on every claimed state, because a run may be lost in any of them.
 */
export const operationStateTransitions: Readonly<Record<OperationState, readonly OperationState[]>> = {
  accepted: ['running', 'withdrawn', 'cancelled'], // cancelled: before any run claimed it
  running: ['holding', 'committing', 'rolling-back', 'stuck', 'cancelled'], // cancelled: in the grace period of a deletion
  holding: ['running', 'rolling-back', 'stuck'],
  committing: ['succeeded', 'stuck', 'rolling-back'], // rolling-back: the commit itself was refused for good
  'rolling-back': ['rolled-back', 'cancelled', 'stuck'],
  // running: a run that was lost in a grace period goes on; committing: `retry` of a stuck deprovisioning
  stuck: ['running', 'rolling-back', 'committing', 'abandoned', 'superseded'],
  succeeded: [],
  'rolled-back': [],
  cancelled: [],
  abandoned: [],
  superseded: [],
  withdrawn: [],
};

export function isOpen(state: OperationState): state is OpenOperationState {
  return (openOperationStates as readonly string[]).includes(state);
}

export function isClosed(state: OperationState): state is ClosedOperationState {
  return !isOpen(state);
}
