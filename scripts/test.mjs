#!/usr/bin/env node
// What `npm test` runs: types, lint, and the suites a contributor needs. `npm test -- e2e` runs the named suites of
// vitest.config.ts instead. Ends with a line `N passed, N failed`; with TENANTRY_TEST_TOTALS=<file> the counts are
// appended there as JSON too, for .ci/run.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const contributorSuites = ['unit', 'workflows', 'integration', 'sagas'];
const named = process.argv.slice(2);
const reports = mkdtempSync(join(tmpdir(), 'tenantry-reports-'));
const totals = { passed: 0, failed: 0 };

try {
  if (named.length === 0) {
    await check('types', 'npx', ['tsc', '--noEmit']);
    await check('lint', 'npm', ['run', '--silent', 'lint']);
  }
  await suites(named.length === 0 ? contributorSuites : named);
} finally {
  rmSync(reports, { recursive: true, force: true });
}
if (process.env.TENANTRY_TEST_TOTALS) appendFileSync(process.env.TENANTRY_TEST_TOTALS, `${JSON.stringify(totals)}\n`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** A tool that passes or fails as a whole counts as one test. */
async function check(title, command, args) {
  console.log(`\n== ${title}`);
  count((await run(command, args)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}

async function suites(names) {
  console.log(`\n== ${names.join(', ')}`);
  const report = join(reports, 'vitest.json');
  const projects = names.flatMap((name) => ['--project', name]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await run('npx', ['vitest', 'run', ...projects, ...reporters]);
  const counted = existsSync(report) ? countReport(JSON.parse(readFileSync(report, 'utf8'))) : { passed: 0, failed: 0 };
  // A run that crashed, or failed outside any test, must not pass for want of a failed test.
  if (code !== 0 && counted.failed === 0) counted.failed = 1;
  count(counted);
}

/** A file that could not be loaded, or whose hooks failed, has no failed test of its own: the file counts as one. */
function countReport(report) {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

function count({ passed, failed }) {
  totals.passed += passed;
  totals.failed += failed;
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    child.on('error', (error) => {
      console.error(`could not run ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
