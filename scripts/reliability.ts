// Renders the numbers of a chaos run: `tsx scripts/reliability.ts <results.ndjson> <seconds> [--print]`. Without `--print`
// docs/reliability.json (the numbers) and docs/reliability.md (the page) are written; a test holds the page against the numbers.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { readResults, summarize } from './reliability/summary.ts';
import { renderReliability } from './reliability/page.ts';

const [file, seconds, mode] = process.argv.slice(2);
if (file === undefined || seconds === undefined)
  throw new Error('usage: tsx scripts/reliability.ts <results.ndjson> <seconds> [--print]');

const commit = execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*']).toString().trim();
const summary = summarize(readResults(readFileSync(file, 'utf8')), {
  commit,
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  cores: availableParallelism(),
  seconds: Number(seconds),
  isSample: process.env.CHAOS_SHORT === '1',
});
const page = `${renderReliability(summary)}\n`;
if (mode === '--print') {
  console.log(page);
} else {
  writeFileSync('docs/reliability.json', `${JSON.stringify(summary, undefined, 2)}\n`);
  writeFileSync('docs/reliability.md', page);
  console.log(
    `docs/reliability.md: ${summary.faults.covered} of ${summary.faults.points} fault points, ${summary.kills.count} kills, ${summary.leaks.open} leaks open`,
  );
}
