import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Kind } from '../src/kinds/framework/kind.ts';
import { isBuiltIn } from '../src/kinds/built-in.ts';
import { benchOf, type Bench, type FaultSample } from './bench.ts';
import { conformanceCases } from './cases/cases.ts';
import { assertPermissions, type DemandedBeside } from './permissions.ts';
import type { OwnListers } from './own-listers.ts';
import type { ConformanceParts } from './parts.ts';
import type { FaultedLife } from './faults/life.ts';
import type { HandPlace, Sample } from './sample.ts';
import { startGround, type Ground } from './stand.ts';

export interface KindSamples {
  readonly kind: Kind;
  /** At least one: steps that make the kind's thing, each with what it needs before it. */
  readonly samples: readonly Sample[];
  /** Of this kind alone, in the place of those of the options. */
  readonly demandedBeside?: DemandedBeside | undefined;
}

export interface ConformanceOptions extends Pick<KindSamples, 'samples'> {
  /** Other kinds that the samples have steps of, beside those that come with Tenantry. */
  readonly kinds?: readonly Kind[] | undefined;
  /** Is told how the faults at every call of a kind went. */
  readonly onFaults?: ((kind: string, lives: readonly FaultedLife[]) => void) | undefined;
  /** A sample of the faults in the place of all: then `permissions` may hold actions that were not called. */
  readonly faultSample?: FaultSample | undefined;
  /** IAM actions that AWS demands beside those of the kind's calls, by the action of the call. */
  readonly demandedBeside?: DemandedBeside | undefined;
  /** By ledger type: listers for the oracle, of types that the sandbox's inventory does not know. */
  readonly listers?: OwnListers | undefined;
  /** Makes what the samples read and no step makes, such as an object in S3, before the first of them. */
  readonly prepare?: ((at: PreparedPlace) => Promise<void>) | undefined;
  /** Servers that run already; absent: started, and stopped at the end. */
  readonly parts?: (() => Promise<ConformanceParts>) | undefined;
}

/** The cell that samples are made in. */
export type PreparedPlace = Pick<HandPlace, 'endpointUrl' | 'credentials' | 'cell'>;

const CASE_LIMIT_MS = 240_000;

/** Declares the tests of everything that a kind promises, on real servers: PostgreSQL, and MiniStack behind the gateway. */
export function describeKind(kind: Kind, options: ConformanceOptions): void {
  describeKinds([{ kind, samples: options.samples }], options);
}

/** The same of several kinds, on the same servers. */
export function describeKinds(kinds: readonly KindSamples[], options: Omit<ConformanceOptions, 'samples'>): void {
  let ground: Ground;
  beforeAll(async () => {
    const products = kinds.flatMap(({ samples }) => samples.map(({ product }) => product));
    const ledgerTypes = kinds.flatMap(({ kind }) => Object.keys(kind.types));
    const others = [...(options.kinds ?? []), ...kinds.map(({ kind }) => kind)];
    const { listers } = options;
    const parts = await options.parts?.();
    ground = await startGround({ parts, kinds: notBuiltIn(others), products, ledgerTypes, listers });
    const { cell, gateway } = ground;
    const credentials = { accessKeyId: cell.accountId, secretAccessKey: 'test' };
    await options.prepare?.({ endpointUrl: gateway.url, credentials, cell });
  }, CASE_LIMIT_MS);
  afterAll(() => ground.close());

  describe.each(kinds)('kind $kind.name', ({ kind, samples, demandedBeside = options.demandedBeside }) => {
    describe.each(samples)('as $name', { concurrent: true }, (sample) => {
      let bench: Bench;
      beforeAll(() => {
        bench = benchOf(kind, sample, ground, {
          onFaults: (lives) => options.onFaults?.(kind.name, lives),
          faultSample: options.faultSample,
        });
      });
      for (const { name, demands, limitMs = CASE_LIMIT_MS, run } of conformanceCases)
        if (demands !== undefined && sample[demands] === undefined)
          it.skip(`${name} (give the sample \`${demands}\` to try it)`, () => undefined);
        else it(name, () => run(bench), limitMs);
    });

    it('declares the permissions that its calls need, and no others', () =>
      // Some calls come after certain faults only.
      assertPermissions(kind, ground.book, { more: demandedBeside, isWhole: !options.faultSample }));
  });
}

/** Those that come with Tenantry are there anyway. */
function notBuiltIn(kinds: readonly Kind[]): Kind[] {
  return [...new Set(kinds)].filter((kind) => !isBuiltIn(kind));
}
