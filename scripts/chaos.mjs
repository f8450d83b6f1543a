#!/usr/bin/env node
// `npm run test:chaos`: every fault at every call of a kind and every statement, processes killed, servers away, seeded random runs, mutants; then
// docs/reliability.md from what was really run. `-- --short` runs seeded samples (for .ci/run) and only prints the numbers,
// unless `--publish` is given too. `-- --keep DIRECTORY` keeps what each part found there: a run that was interrupted, or one of
// whose parts failed, goes on where it stood, as long as the product is the same.
// Ends with a line `N passed, N failed`; with TENANTRY_TEST_TOTALS=<file> the counts are appended there too.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve as absolute } from 'node:path';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { addTotals, noTotals, oneFailure, printFailures, printSlowest, readTotals, reportTotals } from './totals.mjs';

register();
const { directionGroups } = await import('../test/chaos/kill-points.ts');
const { changePhases, phases } = await import('../test/chaos/statements/points.ts');

const flag = { type: 'boolean', default: false };
const {
  short: isShort,
  publish,
  keep: kept,
  only: word,
} = parseArgs({ options: { short: flag, publish: flag, keep: { type: 'string' }, only: { type: 'string' } } }).values;
const publishes = (!isShort || publish) && word === undefined;
const directory = kept === undefined ? mkdtempSync(join(tmpdir(), 'tenantry-chaos-run-')) : absolute(kept);
mkdirSync(directory, { recursive: true });
const { seed } = runIn(directory);
/** These use all that a machine has; the others mostly wait, each for servers of its own, and so do the mutants. */
const alone = ['processes', 'random', ...(isShort ? [] : ['statements'])];
/** What a part of the kills is about, and one of the statements: a tenant's first day and its last belong together, each change is alone. */
const killed = directionGroups().map((directions) => directions.join(','));
const struck = partsOf(phases, (phase) => changePhases.includes(phase));
/** What runs one after the other: what is the likeliest to find something first. */
const allParts = [
  ...(isShort
    ? [
        tests(
          'processes and random runs',
          'chaos',
          filesOf((name) => alone.includes(name)),
        ),
      ]
    : [
        ...struck.map((only) =>
          tests(`statements: ${only}`, 'chaos', ['test/chaos/statements.test.ts'], { CHAOS_PHASES: only }),
        ),
        ...killed.map((only) =>
          tests(`kills: ${only}`, 'chaos', ['test/chaos/processes.test.ts'], { CHAOS_ONLY: only }),
        ),
        tests('random runs', 'chaos', ['test/chaos/random.test.ts']),
        tests('sagas', 'sagas', ['test/sagas/changes.test.ts'], { SAGAS_FULL: '1' }),
      ]),
  // Every fault at every call of every kind: of these `npm test` has a sample, which would be no number.
  ...(!isShort || publish ? [tests('conformance', 'conformance', [], { CONFORMANCE_FULL: '1' })] : []),
  {
    name: 'the rest and mutants',
    counts: 2,
    run: (env) =>
      Promise.all([
        run('node', ['scripts/test.mjs', 'chaos', ...filesOf((name) => !alone.includes(name))], {
          ...env,
          CHAOS_SIDE_BY_SIDE: '1',
        }),
        run('npx', ['tsx', 'test/mutants/run.ts'], env),
      ]),
  },
];
const parts = allParts.filter(({ name }) => word === undefined || name.includes(word));
if (parts.length === 0) throw new Error(`no part is about "${word}": ${allParts.map(({ name }) => name).join('; ')}`);

try {
  console.log(`chaos: seed ${seed}${isShort ? ', short' : ''} (CHAOS_SEED=${seed} repeats it)`);
  const counted = noTotals();
  let seconds = 0;
  for (const part of parts) {
    const done = outcomeIn(part) ?? (await play(part));
    addTotals(counted, done);
    seconds += done.seconds;
  }
  console.log('\n== numbers');
  const results = join(directory, 'results.ndjson');
  writeFileSync(results, parts.map((part) => textOf(fileOf(part, 'results'))).join(''));
  const mode = publishes && counted.failed === 0 ? [] : ['--print'];
  const render = ['tsx', 'scripts/reliability.ts', results, String(seconds), ...mode];
  if (textOf(results) !== '' && (await run('npx', render, isShort ? { CHAOS_SHORT: '1' } : {})) !== 0)
    addTotals(counted, oneFailure('scripts/reliability.ts', 'the numbers could not be made: see the output'));
  reportTotals({
    ...counted,
    failures: counted.failures.map(({ test, why }) => ({ test, why: `seed ${seed}\n${why}` })),
  });
  printFailures(counted);
  printSlowest(counted);
  console.log(`${counted.passed} passed, ${counted.failed} failed (seed ${seed}, ${seconds} s)`);
  process.exitCode = counted.failed === 0 ? 0 : 1;
} finally {
  if (kept === undefined) rmSync(directory, { recursive: true, force: true });
}

/** What the directory's run was begun with; a new one when it is empty. */
function runIn(directory) {
  const file = join(directory, 'run.json');
  // The same sources: documents and what tries the product may change while a long run goes on, the product may not.
  const sources = ['src', 'migrations', 'package-lock.json'];
  const product =
    kept === undefined ? '' : git('log', '-1', '--format=%H', '--', ...sources) + git('diff', 'HEAD', '--', ...sources);
  const begun = { seed: process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31)), isShort, product };
  if (!existsSync(file)) {
    writeFileSync(file, JSON.stringify(begun));
    return begun;
  }
  const found = JSON.parse(readFileSync(file, 'utf8'));
  if (found.product !== product || found.isShort !== isShort)
    throw new Error(`${directory} has a run of another product or sort: name another directory, or remove it`);
  return found;
}

/** Those that are alone each by itself, after all others together. */
function partsOf(all, isAlone) {
  return [all.filter((one) => !isAlone(one)).join(','), ...all.filter(isAlone)];
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' });
}

function tests(name, suite, files, env = {}) {
  return {
    name,
    counts: 1,
    run: (more) => run('node', ['scripts/test.mjs', suite, ...files], { ...env, ...more }),
  };
}

/** Counts of a part that went well before. */
function outcomeIn(part) {
  const text = textOf(fileOf(part, 'outcome'));
  if (text === '') return undefined;
  const outcome = JSON.parse(text);
  if (outcome.failed > 0) return undefined;
  console.log(`\n== ${part.name}: ${outcome.passed} passed before, in ${outcome.seconds} s`);
  return outcome;
}

/** Runs a part; one that ended before it could count its tests failed. */
async function play(part) {
  const [results, totals] = [fileOf(part, 'results'), fileOf(part, 'totals')];
  for (const file of [results, totals]) rmSync(file, { force: true });
  const began = Date.now();
  await part.run({
    CHAOS_SEED: seed,
    TENANTRY_CHAOS_RESULTS: results,
    TENANTRY_TEST_TOTALS: totals,
    ...(isShort ? { CHAOS_SHORT: '1' } : {}),
  });
  const { parts: reported, ...counted } = readTotals(totals);
  for (let count = reported; count < part.counts; count++)
    addTotals(counted, oneFailure(part.name, 'a part ended before it could count its tests: see the output'));
  const outcome = { ...counted, seconds: Math.round((Date.now() - began) / 1000) };
  writeFileSync(fileOf(part, 'outcome'), JSON.stringify(outcome));
  return outcome;
}

function fileOf({ name }, what) {
  return join(directory, `${name.replaceAll(/[^a-z]+/g, '-')}.${what}`);
}

function textOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function filesOf(belongs) {
  const ending = '.test.ts';
  const names = readdirSync('test/chaos').filter((file) => file.endsWith(ending));
  return names.filter((file) => belongs(file.slice(0, -ending.length))).map((file) => `test/chaos/${file}`);
}

function run(command, args, more = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...more } });
    child.on('error', (error) => {
      console.error(`could not run ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
