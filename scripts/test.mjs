#!/usr/bin/env node
// What `npm test` runs: types, lint, and the suites a contributor needs. `npm test -- e2e` runs the named suites of
// vitest.config.ts instead, and `npm test -- e2e test/e2e/outages.test.ts` some of their files. Ends with a line `N passed, N failed`; with TENANTRY_TEST_TOTALS=<file> the counts are
// appended there as JSON too, for .ci/run.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTotals, noTotals, oneFailure, printFailures, printSlowest, readTotals, reportTotals } from './totals.mjs';

const contributorSuites = ['unit', 'workflows', 'integration', 'conformance', 'sagas'];
const files = process.argv.slice(2).filter((argument) => argument.includes('/'));
const named = process.argv.slice(2).filter((argument) => !argument.includes('/'));
const reports = mkdtempSync(join(tmpdir(), 'tenantry-reports-'));
const totals = noTotals();

try {
  if (named.length === 0) {
    // Each uses one core, and all know the code by reading only.
    await Promise.all([
      check('parts', 'npx', ['tsx', 'scripts/install-parts.ts']),
      check('types', 'npx', ['tsc', '--noEmit']),
      check('lint', 'npx', ['eslint', '.']),
      check('format', 'npx', ['prettier', '--check', '--log-level', 'warn', '.']),
    ]);
  } else if (named.some((name) => name !== 'unit')) {
    await check('parts', 'npx', ['tsx', 'scripts/install-parts.ts']);
  }
  await suites(named.length === 0 ? contributorSuites : named);
} finally {
  rmSync(reports, { recursive: true, force: true });
}
reportTotals(totals);
printFailures(totals);
printSlowest(totals);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** A tool that passes or fails as a whole counts as one test. */
async function check(title, command, args) {
  console.log(`\n== ${title}`);
  const code = await run(command, args);
  addTotals(
    totals,
    code === 0 ? { passed: 1, failed: 0 } : oneFailure(title, `${command} ended with exit code ${code}`),
  );
}

async function suites(names) {
  console.log(`\n== ${names.join(', ')}`);
  const file = join(reports, 'totals');
  const projects = names.flatMap((name) => ['--project', name]);
  const reporters = ['--reporter=default', '--reporter=./scripts/totals-reporter.mjs'];
  const code = await run('npx', ['vitest', 'run', ...projects, ...reporters, ...files], { TENANTRY_TEST_TOTALS: file });
  const counted = readTotals(file);
  addTotals(totals, counted);
  // A run that crashed must not pass for want of a failed test.
  if (code !== 0 && counted.failed === 0)
    addTotals(
      totals,
      oneFailure(names.join(', '), `vitest ended with exit code ${code} outside any test: see its output`),
    );
}

function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', (error) => {
      console.error(`could not run ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
