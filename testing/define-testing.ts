import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { shapeProblems } from '../src/shape-problems.ts';
import type { OwnListers } from './own-listers.ts';
import type { DemandedBeside } from './permissions.ts';
import type { Sample } from './sample.ts';

/** What `tenantry test` cannot know of kinds of others: the default export of `tenantry.testing.ts`, beside `tenantry.config.ts`. */
export interface Testing {
  /** By ledger type: what the oracle lists them by. */
  readonly listers?: OwnListers | undefined;
  /** IAM actions that AWS demands beside those of the calls, by the action of the call. */
  readonly demandedBeside?: DemandedBeside | undefined;
  /** By the name of a kind: more of its samples. */
  readonly samples?: Readonly<Record<string, Omit<Sample, 'name' | 'product' | 'tier' | 'steps'>>> | undefined;
}

/** @throws RangeError for a field that there is none of */
export function defineTesting(testing: Testing): Testing {
  refuseOthers(testing);
  return testing;
}

/** @param configFile path of `tenantry.config.ts`; without a file beside it there is nothing more to know */
export async function loadTesting(configFile: string | undefined): Promise<Testing> {
  if (configFile === undefined) return {};
  const file = join(dirname(resolve(configFile)), 'tenantry.testing.ts');
  if (!existsSync(file)) return {};
  const { default: testing } = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (typeof testing !== 'object' || testing === null)
    throw new Error(`${file} cannot be used: its default export must be defineTesting({ ... })`);
  refuseOthers(testing);
  return testing;
}

function refuseOthers(testing: object): void {
  const problems = shapeProblems(testing, { listers: 'object?', demandedBeside: 'object?', samples: 'object?' });
  if (problems.length > 0) throw new RangeError(`defineTesting: ${problems.join('; ')}`);
}
