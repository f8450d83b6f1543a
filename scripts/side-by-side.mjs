#!/usr/bin/env node
// `node scripts/side-by-side.mjs 'COMMAND' 'COMMAND'...`: runs shell commands that mostly wait at the same time, shows what each
// printed once it has ended, and counts each as one test in the file TENANTRY_TEST_TOTALS (see totals.mjs). Exit code 75 (EX_TEMPFAIL): what
// the command needs is not here; it is said, and counted neither way.
import { spawn } from 'node:child_process';
import { noTotals, addTotals, oneFailure, reportTotals } from './totals.mjs';

const SKIPPED = 75;
const running = new Set();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => running.forEach((child) => child.kill(signal)));

const totals = noTotals();
await Promise.all(
  process.argv.slice(2).map(async (command) => {
    const began = Date.now();
    const { code, output } = await run(command);
    process.stdout.write(
      `\n--- ${command}\n${output}--- exit code ${code} after ${Math.round((Date.now() - began) / 1000)} s\n`,
    );
    if (code === SKIPPED) console.log(`=== SKIPPED, not checked: ${command}`);
    else
      addTotals(
        totals,
        code === 0 ? { passed: 1, failed: 0 } : oneFailure(command, `exit code ${code}: see its output`),
      );
  }),
);
reportTotals(totals);
process.exitCode = totals.failed === 0 ? 0 : 1;

/** What a command printed, both streams in the order in which it came, and how it ended. */
function run(command) {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', `exec ${command}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 1, output: `could not run: ${error.message}\n` }));
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code: code ?? signal, output });
    });
  });
}
