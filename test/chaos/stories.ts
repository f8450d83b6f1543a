import fc from 'fast-check';
import type { Step } from '../../src/contracts/blueprint.ts';
import { drawnChanges, type Change } from './changes.ts';
import { seldom, type Strike } from './strikes.ts';

/** What happens to one tenant besides random faults: drawn by the run's seed before anything starts, so that it can be read and repeated. */
export interface Story {
  readonly subject: Subject;
  readonly startAfterMs: number;
  readonly onFailure: 'hold' | 'rollback';
  /** A fault that ends a step: AWS says no for good. What is denied so clearly has no effect; lost answers come from the random faults. */
  readonly strike: Strike | undefined;
  /** Somebody gives up while it is being made. */
  readonly cancelAfterMs: number | undefined;
  /** `temporal workflow terminate`, by somebody in a hurry. */
  readonly terminateAfterMs: number | undefined;
  readonly whenHeld: 'retry' | 'cancel';
  readonly whenStuck: 'retry' | 'delete' | 'abandon';
  /** What is asked of it while it is active, in order. */
  readonly changes: readonly Change[];
  readonly whenActive: 'delete' | 'stay';
  /** Whether the slug is asked for again once it is free. */
  readonly again: boolean;
}

/** Whose tenant, by product and tier; most are of the product that has most to go wrong. */
export const subjects = ['moamalat', 'accounts public', 'accounts private'] as const;
export type Subject = (typeof subjects)[number];
const weights: Readonly<Record<Subject, number>> = { moamalat: 4, 'accounts public': 1, 'accounts private': 1 };

/** The stories of a run, by its seed. */
export function drawStories(wish: StoryWish): Story[] {
  return fc.sample(story(wish), { seed: wish.seed, numRuns: wish.count });
}

export interface StoryWish {
  readonly seed: number;
  readonly count: number;
  /** Within which the tenants start. */
  readonly spreadMs: number;
  readonly steps: Readonly<Record<Subject, readonly Step[]>>;
}

/** Moments at which workers are killed, in ms from the start. */
export function drawKills({ seed, count, spreadMs }: { seed: number; count: number; spreadMs: number }): number[] {
  const moments = fc.integer({ min: 5_000, max: Math.max(5_001, spreadMs) });
  return fc.sample(moments, { seed: seed + 1, numRuns: count }).sort((a, b) => a - b);
}

/** Only steps that call AWS can be struck there. */
function callingSteps(steps: readonly Step[]): string[] {
  return steps.filter(({ kind }) => kind !== 'slug-reservation' && kind !== 'tenant-activation').map(({ id }) => id);
}

function strike(steps: readonly Step[]): fc.Arbitrary<Strike> {
  return fc.record({
    stepId: fc.constantFrom(...callingSteps(steps)),
    verb: fc.constantFrom('ensure', 'ensure', 'remove'),
  });
}

function story({ spreadMs, steps }: StoryWish): fc.Arbitrary<Story> {
  const weighted = subjects.map((subject) => ({ weight: weights[subject], arbitrary: fc.constant(subject) }));
  return fc.oneof(...weighted).chain((subject) =>
    fc.record({
      subject: fc.constant(subject),
      startAfterMs: fc.integer({ min: 0, max: spreadMs }),
      onFailure: fc.constantFrom('hold', 'rollback'),
      strike: seldom(strike(steps[subject]), 3),
      cancelAfterMs: seldom(fc.integer({ min: 50, max: 8_000 }), 4),
      terminateAfterMs: seldom(fc.integer({ min: 500, max: 6_000 }), 12),
      whenHeld: fc.constantFrom('retry', 'cancel'),
      whenStuck: fc.constantFrom('retry', 'retry', 'delete', 'abandon'),
      // What is asked of services, an account has none of.
      changes: subject === 'moamalat' ? drawnChanges(callingSteps(steps[subject])) : fc.constant([]),
      whenActive: fc.constantFrom('delete', 'delete', 'stay'),
      again: fc.boolean(),
    }),
  );
}
