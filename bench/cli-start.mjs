// How much CPU a command takes before it does anything: `node bench/cli-start.mjs [runs]` prints a row per command.
import { performance } from 'node:perf_hooks';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [bin, meter] = ['../bin/tenantry.js', './cpu-meter.mjs'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const commands = [['tenants', 'list'], ['list'], ['--help'], ['completion', 'bash']];
const runs = Number(process.argv[2] ?? 7);
// Nobody listens there: the time is the command's own.
const env = { ...process.env, TENANTRY_API_URL: 'http://127.0.0.1:59999' };

for (const args of commands) {
  const samples = [];
  // One more than is counted: the first fills tsx's cache.
  for (let n = 0; n <= runs; n += 1) {
    const beganMs = performance.now();
    const { stderr } = spawnSync(process.execPath, ['--import', meter, bin, ...args], { env, encoding: 'utf8' });
    const cpuMs = Number(/cpu-ms ([\d.]+)/.exec(stderr)?.[1]);
    if (n > 0) samples.push({ cpuMs, wallMs: performance.now() - beganMs });
  }
  const figures = ['cpuMs', 'wallMs'].map((figure) => {
    const sorted = samples.map((sample) => sample[figure]).sort((a, b) => a - b);
    return `${figure} ${[0, Math.floor(runs / 2), runs - 1].map((n) => sorted[n].toFixed(0)).join(' / ')}`;
  });
  console.log(`tenantry ${args.join(' ')}: ${figures.join(', ')} (min / median / max of ${runs})`);
}
