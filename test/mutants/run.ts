import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordResult } from '../chaos/results.ts';
import { mutants, type Detector, type Mutant } from './mutants.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** A mutant may hang a tenant: a test that waits so long has caught it. */
const testTimeoutMs = 90_000;
const sideBySide = 2;
/** With `CHAOS_SHORT=1`, which `CHAOS_SEED` repeats. */
const sampleSize = 3;

interface Outcome {
  readonly mutant: Mutant;
  /** The test that failed on it, and how; undefined: it survived, or could not be tried. */
  readonly caughtBy: Catch | undefined;
  /** What its tests printed. */
  readonly output: string;
}

interface Catch {
  readonly test: string;
  readonly why: string;
}

/**
 * `tsx test/mutants/run.ts [id...]`: plants each mistake into a copy of the sources and runs the tests that are there to
 * catch it; a mutant on which none of them fails has survived. The tests themselves pass without it: the suites run them.
 */
const wanted = process.argv.slice(2);
const outcomes = await inParallel(chosen(), tryAndRecord);
report(outcomes);
process.exitCode = outcomes.length === 0 || outcomes.some((outcome) => outcome.caughtBy === undefined) ? 1 : 0;

function chosen(): readonly Mutant[] {
  if (wanted.length > 0) return mutants.filter(({ id }) => wanted.includes(id));
  if (process.env.CHAOS_SHORT !== '1') return mutants;
  const seed = process.env.CHAOS_SEED ?? String(Date.now());
  const rank = ({ id }: Mutant) => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  return [...mutants].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, sampleSize);
}

async function tryAndRecord(mutant: Mutant): Promise<Outcome> {
  const began = Date.now();
  const { caughtBy, output } = await tryOut(mutant).catch((error: unknown) => ({
    caughtBy: undefined,
    output: `it could not be tried: ${error instanceof Error ? error.message : String(error)}`,
  }));
  const seconds = Math.round((Date.now() - began) / 1000);
  const { id, mistake, detector } = mutant;
  const caught = { caughtBy: caughtBy?.test ?? null, why: caughtBy?.why };
  recordResult('mutant', { id, mistake, suite: detector.file, ...caught, seconds });
  console.log(
    `${caughtBy ? `caught ${id}` : `NOT CAUGHT: ${id}`} (${seconds} s) ${caughtBy?.test ?? ''} ${caughtBy?.why ?? ''}`,
  );
  return { mutant, caughtBy, output };
}

async function tryOut(mutant: Mutant): Promise<Omit<Outcome, 'mutant'>> {
  const copy = copySources();
  try {
    for (const edit of mutant.edits) plant(copy, edit);
    return await runTests(copy, mutant.detector);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The files as they are now, tracked or new, beside the installed packages. */
function copySources(): string {
  const copy = mkdtempSync(join(tmpdir(), 'tenantry-mutant-'));
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const file of list.toString('utf8').split('\0')) {
    const from = join(root, file);
    if (file === '' || !existsSync(from)) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(from, join(copy, file));
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** @throws Error when the text is not there exactly once: the mutant no longer fits the code. */
function plant(copy: string, { file, from, to }: Mutant['edits'][number]): void {
  const path = join(copy, file);
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times, not once:\n${from}`);
  writeFileSync(path, parts.join(to));
}

async function runTests(copy: string, { project, file, tests }: Detector) {
  const reportFile = join(copy, 'mutant-report.json');
  const { output } = await run(copy, [
    ...['vitest', 'run', '--project', project, file, '-t', tests, `--testTimeout=${testTimeoutMs}`],
    ...['--bail=1', '--reporter=json', `--outputFile=${reportFile}`],
  ]);
  if (!existsSync(reportFile)) throw new Error(`the tests of ${file} could not be run:\n${output}`);
  const { testResults } = JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport;
  const ran = testResults
    .flatMap((result) => result.assertionResults)
    .filter((test) => test.status !== 'skipped' && test.status !== 'pending');
  if (ran.length === 0) throw new Error(`no test of ${file} is called "${tests}", or it could not start:\n${output}`);
  const failed = ran.find((test) => test.status === 'failed');
  const message = failed?.failureMessages[0]?.split('\n', 1)[0] ?? '';
  // What vitest's report says of a test that timed out.
  const why = message.includes('STACK_TRACE_ERROR') ? `it did not end within ${testTimeoutMs / 1000} s` : message;
  return { caughtBy: failed && { test: failed.fullName, why }, output };
}

interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function run(cwd: string, args: readonly string[]): Promise<{ output: string }> {
  return new Promise((resolve, reject) => {
    // What a mutant's tests see is not what the run publishes.
    const { TENANTRY_CHAOS_RESULTS: _unused, ...env } = process.env;
    const child = spawn('npx', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('exit', () => resolve({ output }));
  });
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: sideBySide }, worker));
  return results;
}

function report(all: readonly Outcome[]): void {
  const survivors = all.filter((outcome) => outcome.caughtBy === undefined);
  for (const { mutant, output } of survivors)
    console.log(`\n== ${mutant.id} was not caught: ${mutant.mistake}\n${output}`);
  const failures = survivors.map(({ mutant, output }) => ({
    test: `mutant ${mutant.id}`,
    why: `not caught: ${mutant.mistake}\n${output}`,
  }));
  const counts = { passed: all.length - survivors.length, failed: survivors.length, failures };
  if (process.env.TENANTRY_TEST_TOTALS) appendFileSync(process.env.TENANTRY_TEST_TOTALS, `${JSON.stringify(counts)}\n`);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
}
