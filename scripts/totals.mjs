// Counts of tests that several scripts add up, in the file that TENANTRY_TEST_TOTALS names: a line of JSON per part,
// {"passed", "failed", "failures": [{"test", "why"}], "slowest": [{"test", "ms"}]}. As a script: `node scripts/totals.mjs <file>`
// prints every failure with its cause and the slowest tests, then `N passed, N failed`; its exit code is 1 when any failed.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Lines of a failure's message that are kept: a log's end must hold all of them. */
const keptLines = 24;
const keptColumns = 240;
const keptSlowest = 10;

export function noTotals() {
  return { passed: 0, failed: 0, failures: [], slowest: [] };
}

/** Counts of one thing that failed as a whole. */
export function oneFailure(test, why) {
  return { passed: 0, failed: 1, failures: [{ test, why }] };
}

export function addTotals(sum, { passed, failed, failures = [], slowest = [] }) {
  sum.passed += passed;
  sum.failed += failed;
  sum.failures.push(...failures);
  sum.slowest = slowestOf([...sum.slowest, ...slowest]);
}

/** The slowest of the tests, each `{ test, ms }`, slowest first. */
export function slowestOf(tests) {
  return tests.toSorted((a, b) => b.ms - a.ms).slice(0, keptSlowest);
}

/** Hands the counts on to whoever asked for them. */
export function reportTotals(totals) {
  if (process.env.TENANTRY_TEST_TOTALS) appendFileSync(process.env.TENANTRY_TEST_TOTALS, `${JSON.stringify(totals)}\n`);
}

/** The counts in the file, and how many parts added to it. */
export function readTotals(file) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const sum = noTotals();
  for (const line of lines) addTotals(sum, JSON.parse(line));
  return { ...sum, parts: lines.length };
}

export function printFailures({ failures }) {
  for (const { test, why } of failures) {
    console.log(`\nFAILED ${test}`);
    for (const line of why.trim().split('\n').slice(0, keptLines)) console.log(`  ${line.slice(0, keptColumns)}`);
  }
}

export function printSlowest({ slowest }) {
  if (slowest.length === 0) return;
  console.log(`\nThe ${slowest.length} slowest tests:`);
  for (const { test, ms } of slowest)
    console.log(`  ${(ms / 1000).toFixed(1).padStart(6)} s  ${test.slice(0, keptColumns)}`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const totals = readTotals(process.argv[2]);
  printFailures(totals);
  printSlowest(totals);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed === 0 ? 0 : 1;
}
