/**
 * How long a POST of a tenant takes to be accepted (202), 50 at once: `npm run bench -- accept`. Without a worker on the same
 * cores, and with one that has the tenants of the bursts to make.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Platform } from '../src/contracts/platform.ts';
import { percentile } from './figures.ts';
import { openFloor, type Floor } from './floor.ts';
import { saveResult } from './results.ts';
import { startStand, type Stand } from './stand.ts';

/** Of two components each. */
const TENANTS_PER_LOAD_BALANCER = 33;
const BURST = 50;
const ROUNDS = 5;

const { yardstickP99Ms, floor, ...withoutWorker } = await measure(false);
const { yardstickP99Ms: _, floor: __, ...besideWorker } = await measure(true);
const figures = { burst: BURST, rounds: ROUNDS, yardstickP99Ms, floor, withoutWorker, besideWorker };
console.log(JSON.stringify(figures, null, 2));
saveResult('accept', figures);

async function measure(hasWorker: boolean) {
  const stand = await startStand('fast');
  // Runs that belong to no operation would keep a worker busy.
  const floor = hasWorker ? undefined : await openFloor(stand);
  try {
    giveRoom(stand);
    await stand.startApi();
    await stand.listening();
    await burst(stand, 'warm');
    if (floor) await together(floor.start);
    if (hasWorker) await stand.startWorker();
    if (hasWorker) await stand.ready();
    return await rounds(stand, 'round', floor);
  } finally {
    await floor?.close();
    await stand.stop();
  }
}

/** The sandbox's one load balancer has room for a burst: the API, which calls no AWS, is told of more of them. */
function giveRoom({ parts }: Stand): void {
  const file = parts.env.PLATFORM_CONFIG ?? '';
  const platform = JSON.parse(readFileSync(file, 'utf8')) as Platform;
  const cells = platform.cells.map((cell) => ({
    ...cell,
    loadBalancers: Array.from({ length: Math.ceil(((ROUNDS + 1) * BURST) / TENANTS_PER_LOAD_BALANCER) + 1 }, (_, n) => {
      const [{ arn, httpsListenerArn, ...lb }] = cell.loadBalancers as [
        Platform['cells'][number]['loadBalancers'][number],
      ];
      return n === 0
        ? { arn, httpsListenerArn, ...lb }
        : { ...lb, arn: `${arn}${n}`, httpsListenerArn: `${httpsListenerArn}${n}` };
    }),
  }));
  writeFileSync(file, JSON.stringify({ ...platform, cells }));
}

async function rounds(on: Stand, name: string, floor?: Floor) {
  const bursts: Burst[] = [];
  const yardstickMs: number[] = [];
  const startMs: number[] = [];
  const insertMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    yardstickMs.push(percentile(await yardstick(on), 0.99));
    if (floor) startMs.push(percentile(await together(floor.start), 0.99));
    if (floor) insertMs.push(percentile(await together(floor.insert), 0.99));
    bursts.push(await burst(on, `${name}-${round}`));
  }
  const percentiles = bursts.map(({ tookMs }) => ({ p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) }));
  return {
    yardstickP99Ms: median(yardstickMs),
    floor: floor && { startP99Ms: median(startMs), insertP99Ms: median(insertMs) },
    refused: bursts.reduce((sum, { refused }) => sum + refused, 0),
    p50Ms: median(percentiles.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(percentiles.map(({ p99Ms }) => p99Ms)),
    rounds: percentiles,
  };
}

interface Burst {
  /** Of those that were accepted, sorted. */
  readonly tookMs: readonly number[];
  /** Those that were told that Temporal or PostgreSQL is unavailable. */
  readonly refused: number;
}

/** Sends as many POSTs at once. @throws Error when one is answered otherwise than by 202 or 503 */
async function burst({ apiUrl }: Stand, name: string): Promise<Burst> {
  const took = await Promise.all(
    Array.from({ length: BURST }, async (_, n) => {
      const slug = `${name}-${n}`;
      const body = JSON.stringify({
        product: 'moamalat',
        slug,
        displayName: slug,
        contactEmail: `admin@${slug}.example`,
      });
      const beganMs = performance.now();
      const answer = await fetch(`${apiUrl}/api/v1/tenants`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const tookMs = performance.now() - beganMs;
      const text = await answer.text();
      if (answer.status === 503) return undefined;
      if (answer.status !== 202) throw new Error(`POST of ${slug}: ${answer.status} ${text}`);
      return tookMs;
    }),
  );
  const tookMs = took.filter((each) => each !== undefined).sort((a, b) => a - b);
  return { tookMs, refused: BURST - tookMs.length };
}

/** As many requests that do nothing. */
function yardstick({ apiUrl }: Stand): Promise<number[]> {
  return together(async () => (await fetch(`${apiUrl}/healthz`)).text());
}

/** How long each of {@link BURST} took that began at once, in ms, sorted. */
async function together(one: () => Promise<unknown>): Promise<number[]> {
  const took = await Promise.all(
    Array.from({ length: BURST }, async () => {
      const beganMs = performance.now();
      await one();
      return performance.now() - beganMs;
    }),
  );
  return took.sort((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
