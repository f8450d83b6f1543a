import type { FenceCondition, FencePlace } from '../../aws/dynamodb-fences.ts';
import type { RowMover, Sides } from '../account-copy/sides.ts';
import type { CatchUp } from './catch-up.ts';
import { compareSides, type Comparison } from './comparison.ts';
import { DEFAULT_CLOSED_SECONDS, type SwitchContext } from './spec.ts';

/** One attempt at closing the fence of an account. */
export interface Closing {
  readonly context: SwitchContext;
  readonly place: FencePlace;
  readonly sides: Sides;
  readonly mover: RowMover;
  readonly catchUp: CatchUp | undefined;
  readonly moveId: string;
  readonly attempt: string;
}

/** Closed by this very attempt. */
export function isOwn({ attempt, moveId }: Closing): FenceCondition {
  return { moveId, states: ['closed'], attempt };
}

/** How long the fence may be closed, in ms. */
export function closedMsOf({ spec: { closedSeconds } }: SwitchContext): number {
  return (closedSeconds ?? DEFAULT_CLOSED_SECONDS) * 1000;
}

/** @param onPage called for each page; what it throws ends the pass */
export function compare({ context: { aws }, mover, sides }: Closing, onPage: () => void): Promise<Comparison> {
  return compareSides({ partitions: aws.partitions, mover, sides, onPage });
}
