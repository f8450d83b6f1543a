import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { AcceptFigures, ChangesFigures, FairnessFigures, LifecycleFigures, RouterFigures } from './page.ts';

/** What one run of a benchmark saw. */
export interface Result<F = unknown> {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  /** Load average of the minute before the run: what others had to do on the same cores. */
  readonly loadBefore: number;
  readonly figures: F;
}

// Asked when the module is loaded: before the run.
const loadBefore = Math.round(loadavg()[0]! * 10) / 10;

const fileOf = (name: string) => fileURLToPath(new URL(`./results/${name}.json`, import.meta.url));

/** Keeps the raw figures of a run; the last run of a benchmark is the one that counts. */
export function saveResult(name: string, figures: unknown): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`;
  const result: Result = { at: new Date().toISOString(), commit, machine, loadBefore, figures };
  writeFileSync(fileOf(name), `${JSON.stringify(result, null, 2)}\n`);
}

/** Undefined when it has never run. */
function readResult<F>(name: string): Result<F> | undefined {
  const file = fileOf(name);
  // Written by saveResult.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result<F>) : undefined;
}

/** Of every benchmark, its last run. */
export function readResults() {
  return {
    lifecycle: readResult<LifecycleFigures>('lifecycle'),
    accept: readResult<AcceptFigures>('accept'),
    changes: readResult<ChangesFigures>('changes'),
    router: readResult<RouterFigures>('router'),
    fairness: readResult<FairnessFigures>('fairness'),
  };
}
