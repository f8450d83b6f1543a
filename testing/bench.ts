import type { FaultedLife } from './faults/life.ts';
import type { Sample } from './sample.ts';
import { standFor, type Ground, type Stand } from './stand.ts';
import { acceptTenant, StepDriver, type AcceptOptions } from './tenant.ts';
import type { Activities } from '../src/contracts/activities.ts';
import type { Kind } from '../src/kinds/framework/kind.ts';

/** So many of a kind's cases of faults, chosen by the seed, in the place of all. */
export interface FaultSample {
  readonly size: number;
  readonly seed: string;
}

/** What a bench is told besides kind, sample and ground. */
export interface BenchOptions {
  /** Is told how the faults at the step's calls went. */
  readonly onFaults?: ((lives: readonly FaultedLife[]) => void) | undefined;
  /** Absent: all cases. */
  readonly faultSample?: FaultSample | undefined;
}

/** One sample of a kind on its stand: what a case of conformance is tried with. */
export interface Bench extends BenchOptions {
  readonly stand: Stand;
  readonly kind: Kind;
  readonly sample: Sample;
  /** A new tenant of the sample, its step driven by a worker: by default one with the kind as it is. */
  tenant(options?: AcceptOptions & { readonly worker?: Activities }): Promise<StepDriver>;
  /** The same tenant before another worker. */
  before(driver: StepDriver, worker: Activities): StepDriver;
}

export function benchOf(kind: Kind, sample: Sample, ground: Ground, options: BenchOptions = {}): Bench {
  const stand = standFor(kind, ground);
  const usual = stand.workerWith();
  return {
    stand,
    kind,
    sample,
    ...options,
    tenant: async ({ worker = usual, ...accept } = {}) =>
      new StepDriver(stand, await acceptTenant(stand, sample, accept), worker),
    before: (driver, worker) => new StepDriver(stand, driver.tenant, worker),
  };
}
