/** `npm run bench`: runs the benchmarks one after the other and writes docs/benchmarks.md. Names run only those, `page` none. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderBenchmarks } from './page.ts';
import { readResults } from './results.ts';

const all = ['lifecycle', 'accept', 'changes', 'router', 'fairness'] as const;
const [name, ...args] = process.argv.slice(2);
const wanted = name === undefined ? all : all.filter((each) => each === name);
if (wanted.length === 0 && name !== 'page') {
  console.error(`no benchmark "${name}": there are ${all.join(', ')}`);
  process.exit(2);
}
for (const each of wanted) {
  const file = fileURLToPath(new URL(`./${each}.ts`, import.meta.url));
  const { status } = spawnSync('npx', ['tsx', file, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
const page = renderBenchmarks(readResults());
writeFileSync(fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url)), page);
