#!/usr/bin/env node
// `npm run test:chaos`: every fault at every step, processes killed, servers away, seeded random runs, mutants; then
// docs/reliability.md from what was really run. `-- --short` runs seeded samples (for .ci/run) and only prints the numbers,
// unless `--publish` is given too.
// Ends with a line `N passed, N failed`; with TENANTRY_TEST_TOTALS=<file> the counts are appended there too.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
const began = Date.now();

try {
  console.log(`chaos: seed ${seed}${isShort ? ', short' : ''} (CHAOS_SEED=${seed} repeats it)`);
  await run('node', ['scripts/test.mjs', 'chaos']);
  console.log('\n== mutants');
  await run('npx', ['tsx', 'test/mutants/run.ts']);
  const counted = count();
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log('\n== numbers');
  const mode = publishes && counted.failed === 0 ? [] : ['--print'];
  if (
    existsSync(results) &&
    (await run('npx', ['tsx', 'scripts/reliability.ts', results, String(seconds), ...mode])) !== 0
  )
    counted.failed += 1;
  if (process.env.TENANTRY_TEST_TOTALS)
    appendFileSync(process.env.TENANTRY_TEST_TOTALS, `${JSON.stringify(counted)}\n`);
  console.log(`${counted.passed} passed, ${counted.failed} failed (seed ${seed}, ${seconds} s)`);
  process.exitCode = counted.failed === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Both parts append their counts; one that did not come to it failed. */
function count() {
  const lines = existsSync(totals) ? readFileSync(totals, 'utf8').trim().split('\n').filter(Boolean) : [];
  const counted = { passed: 0, failed: Math.max(0, 2 - lines.length) };
  for (const line of lines) {
    const { passed, failed } = JSON.parse(line);
    counted.passed += passed;
    counted.failed += failed;
  }
  return counted;
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env });
    child.on('error', (error) => {
      console.error(`could not run ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
