import { createOracle, type Oracle } from './oracle.ts';
import type { Sample } from './sample.ts';
import { startStand, type Stand, type StandOptions } from './stand.ts';
import { acceptTenant, StepDriver, type AcceptOptions } from './tenant.ts';
import type { Activities } from '../src/contracts/activities.ts';
import type { Kind } from '../src/kinds/framework/kind.ts';

/** One sample of a kind on its stand: what a case of conformance is tried with. */
export interface Bench {
  readonly stand: Stand;
  readonly kind: Kind;
  readonly sample: Sample;
  readonly oracle: Oracle;
  /** A new tenant of the sample, its step driven by a worker: by default one with the kind as it is. */
  tenant(options?: AcceptOptions & { readonly worker?: Activities }): Promise<StepDriver>;
  /** The same tenant before another worker. */
  before(driver: StepDriver, worker: Activities): StepDriver;
}

export interface BenchSet {
  readonly stand: Stand;
  of(sample: Sample): Bench;
  close(): Promise<void>;
}

export async function startBenches(kind: Kind, options: StandOptions): Promise<BenchSet> {
  const stand = await startStand(kind, options);
  const oracle = createOracle(stand, Object.keys(kind.types));
  const usual = stand.workerWith();
  return {
    stand,
    of: (sample) => ({
      stand,
      kind,
      sample,
      oracle,
      tenant: async ({ worker = usual, ...accept } = {}) =>
        new StepDriver(stand, await acceptTenant(stand, sample, accept), worker),
      before: (driver, worker) => new StepDriver(stand, driver.tenant, worker),
    }),
    close: () => stand.close(),
  };
}
