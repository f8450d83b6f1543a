#!/usr/bin/env node
// `npm run test:chaos`: every fault at every call of a kind and every statement, processes killed, servers away, seeded random runs, mutants; then
// docs/reliability.md from what was really run. `-- --short` runs seeded samples (for .ci/run) and only prints the numbers,
// unless `--publish` is given too.
// Ends with a line `N passed, N failed`; with TENANTRY_TEST_TOTALS=<file> the counts are appended there too.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTotals, oneFailure, printFailures, printSlowest, readTotals, reportTotals } from './totals.mjs';

const isShort = process.argv.includes('--short');
const publishes = !isShort || process.argv.includes('--publish');
const directory = mkdtempSync(join(tmpdir(), 'tenantry-chaos-run-'));
const results = join(directory, 'results.ndjson');
const totals = join(directory, 'totals');
const seed = process.env.CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
const env = {
  ...process.env,
  CHAOS_SEED: seed,
  TENANTRY_CHAOS_RESULTS: results,
  TENANTRY_TEST_TOTALS: totals,
  ...(isShort ? { CHAOS_SHORT: '1' } : {}),
};
/** These use all that a machine has; the others mostly wait, each for servers of its own, and so do the mutants. */
const alone = ['processes', 'random', ...(isShort ? [] : ['statements'])];
const parts = publishes ? 4 : 3;
const began = Date.now();

try {
  console.log(`chaos: seed ${seed}${isShort ? ', short' : ''} (CHAOS_SEED=${seed} repeats it)`);
  // Every fault at every call of every kind: of these `npm test` has a sample, which would be no number.
  if (publishes) await run('node', ['scripts/test.mjs', 'conformance'], { CONFORMANCE_FULL: '1' });
  await run('node', ['scripts/test.mjs', 'chaos', ...filesOf((name) => alone.includes(name))]);
  await Promise.all([
    run('node', ['scripts/test.mjs', 'chaos', ...filesOf((name) => !alone.includes(name))], {
      CHAOS_SIDE_BY_SIDE: '1',
    }),
    run('npx', ['tsx', 'test/mutants/run.ts']),
  ]);
  const counted = count();
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log('\n== numbers');
  const mode = publishes && counted.failed === 0 ? [] : ['--print'];
  if (
    existsSync(results) &&
    (await run('npx', ['tsx', 'scripts/reliability.ts', results, String(seconds), ...mode])) !== 0
  )
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
  rmSync(directory, { recursive: true, force: true });
}

/** All parts append their counts; one that did not come to it failed. */
function count() {
  const { parts: reported, ...counted } = readTotals(totals);
  for (let part = reported; part < parts; part++)
    addTotals(
      counted,
      oneFailure('npm run test:chaos', 'a part ended before it could count its tests: see the output'),
    );
  return counted;
}

function filesOf(belongs) {
  const ending = '.test.ts';
  const names = readdirSync('test/chaos').filter((file) => file.endsWith(ending));
  return names.filter((file) => belongs(file.slice(0, -ending.length))).map((file) => `test/chaos/${file}`);
}

function run(command, args, more = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...env, ...more } });
    child.on('error', (error) => {
      console.error(`could not run ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
