import fc from 'fast-check';
import type { FaultRule } from '../../sandbox/gateway/faults/setting.ts';
import type { Step } from '../../src/contracts/blueprint.ts';

/** What happens to one tenant besides random faults: drawn by the run's seed before anything starts, so that it can be read and repeated. */
export interface Story {
  readonly product: string;
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
  readonly whenActive: 'delete' | 'stay';
  /** Whether the slug is asked for again once it is free. */
  readonly again: boolean;
}

export interface Strike {
  readonly stepId: string;
  readonly verb: 'ensure' | 'remove';
}

/** The stories of a run, by its seed. */
export function drawStories(wish: StoryWish): Story[] {
  return fc.sample(story(wish), { seed: wish.seed, numRuns: wish.count });
}

export interface StoryWish {
  readonly seed: number;
  readonly count: number;
  /** Within which the tenants start. */
  readonly spreadMs: number;
  readonly products: Readonly<Record<string, readonly Step[]>>;
}

/** Moments at which workers are killed, in ms from the start. */
export function drawKills({ seed, count, spreadMs }: { seed: number; count: number; spreadMs: number }): number[] {
  const moments = fc.integer({ min: 5_000, max: Math.max(5_001, spreadMs) });
  return fc.sample(moments, { seed: seed + 1, numRuns: count }).sort((a, b) => a - b);
}

/** One draw in `oneIn`; else undefined. */
function seldom<T>(value: fc.Arbitrary<T>, oneIn: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 1, arbitrary: value }, { weight: oneIn - 1, arbitrary: fc.constant(undefined) });
}

/** Only steps that call AWS can be struck there. */
function strike(steps: readonly Step[]): fc.Arbitrary<Strike> {
  const calling = steps.filter((step) => step.kind !== 'slug-reservation' && step.kind !== 'tenant-activation');
  return fc.record({
    stepId: fc.constantFrom(...calling.map((step) => step.id)),
    verb: fc.constantFrom('ensure', 'ensure', 'remove'),
  });
}

/** As a rule of the gateway; AWS refuses each kind of call that way at times. */
export function strikeRule({ stepId, verb }: Strike, operationId: string): FaultRule {
  return {
    match: { operationId, stepId, verb, kind: 'change' },
    fault: { type: 'error', when: 'before', code: 'AccessDeniedException', status: 403, message: 'a story’s strike' },
    times: verb === 'remove' ? null : 1,
  };
}

function story({ spreadMs, products }: StoryWish): fc.Arbitrary<Story> {
  return fc.constantFrom(...Object.keys(products)).chain((product) =>
    fc.record({
      product: fc.constant(product),
      startAfterMs: fc.integer({ min: 0, max: spreadMs }),
      onFailure: fc.constantFrom('hold', 'rollback'),
      strike: seldom(strike(products[product] ?? []), 3),
      cancelAfterMs: seldom(fc.integer({ min: 50, max: 8_000 }), 4),
      terminateAfterMs: seldom(fc.integer({ min: 500, max: 6_000 }), 12),
      whenHeld: fc.constantFrom('retry', 'cancel'),
      whenStuck: fc.constantFrom('retry', 'retry', 'delete', 'abandon'),
      whenActive: fc.constantFrom('delete', 'delete', 'stay'),
      again: fc.boolean(),
    }),
  );
}
