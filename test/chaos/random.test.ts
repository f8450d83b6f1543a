import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChild } from '../../sandbox/parts/child.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { accounts } from '../../src/products/accounts/product.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { blueprintOfProduct } from '../../testing/sagas/blueprints.ts';
import { end, live, type Life } from './life.ts';
import { expectLikeBefore, inventoryOf } from './process-inventory.ts';
import { startProcessWorld, type ProcessWorld } from './process-world.ts';
import { recordResult } from './results.ts';
import { drawKills, drawStories } from './stories.ts';
import { renderCalls } from './call-log.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * Many tenants at once under random faults, with workers that are killed: every tenant ends active or gone, and nothing is left.
 * `CHAOS_SEED` repeats a run, `CHAOS_TENANTS` makes it longer (a tenant is about 35 steps).
 */
const isShort = process.env.CHAOS_SHORT === '1';
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** A load balancer has room for 33 at once. */
const WAVE = 30;
const count = Number(process.env.CHAOS_TENANTS ?? (isShort ? 6 : WAVE));
/** Time between two tenants' starts: what two cores bear. */
const EVERY_MS = 1_500;
const commit = execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*']).toString().trim();

let world: ProcessWorld;
const workers: WorkerProcess[] = [];
beforeAll(async () => {
  world = await startProcessWorld({ time: 'fast' });
  workers.push(await world.startWorker(), await world.startWorker());
  await Promise.all(workers.map((worker) => worker.untilReady()));
});
afterAll(() => world.stop());

it(
  `leaves nothing behind (CHAOS_SEED=${seed} CHAOS_TENANTS=${count}, commit ${commit})`,
  async () => {
    const began = Date.now();
    const before = await inventoryOf(world);
    const waves: Wave[] = [];
    try {
      for (let first = 0; first < count; first += WAVE)
        waves.push(await playWave(first, Math.min(WAVE, count - first)));
      expect(waves.flatMap(({ failures }) => failures)).toEqual([]);
      await world.gateway.whenQuiet();
      await expectLikeBefore(world, before);
      expect(await sweepFindings()).toEqual([]);
      const seconds = Math.round((Date.now() - began) / 1000);
      const summary = {
        seed,
        commit,
        tenants: count,
        kills: sum(waves.map(({ kills }) => kills)),
        faults: faultsOf(world.gateway),
        ...(await counted()),
        ends: tally(waves.flatMap(({ lives }) => lives)),
        leaks: 0,
        seconds,
      };
      console.log(JSON.stringify(summary));
      recordResult('random', summary);
    } catch (error) {
      console.error(
        `CHAOS_SEED=${seed} CHAOS_TENANTS=${count}, commit ${commit}; ${String(error)}\nthe call log:\n${renderCalls(world.gateway.calls())}`,
      );
      throw error;
    }
  },
  Math.max(900_000, count * 8_000),
);

interface Wave {
  readonly lives: readonly Life[];
  readonly kills: number;
  readonly failures: readonly string[];
}

/** Tenants that live side by side under random faults; what lives of them afterwards is deleted without faults. */
async function playWave(first: number, size: number): Promise<Wave> {
  const spreadMs = size * EVERY_MS;
  const stories = drawStories({ seed: seed + first, count: size, spreadMs, steps: blueprints() });
  const killing = killWorkers(drawKills({ seed: seed + first, count: Math.ceil(size / 8), spreadMs }));
  world.gateway.setFaults({ turbulence: { seed: seed + first } });
  const ended = await Promise.allSettled(
    stories.map((story, index) => live(world, story, `r${seed.toString(36)}-${first + index}`)),
  );
  noteFaults(world.gateway);
  world.gateway.setFaults({ turbulence: null });
  const kills = await killing;
  const lives = ended.flatMap((e) => (e.status === 'fulfilled' ? [e.value] : []));
  const endings = await Promise.allSettled(lives.map((life) => end(world, life)));
  const failures = [...ended, ...endings].flatMap((e) => (e.status === 'rejected' ? [String(e.reason)] : []));
  return { lives, kills, failures };
}

function blueprints() {
  return {
    moamalat: blueprintOfProduct(moamalat, null, defaultCatalog),
    'accounts public': blueprintOfProduct(accounts, 'public', defaultCatalog),
    'accounts private': blueprintOfProduct(accounts, 'private', defaultCatalog),
  };
}

/** Kills the two workers in turn, each with a successor at once; answers how many were killed. */
async function killWorkers(moments: readonly number[]): Promise<number> {
  const began = Date.now();
  for (const [index, moment] of moments.entries()) {
    await sleep(Math.max(0, began + moment - Date.now()));
    await workers[index % workers.length]?.killHard();
    workers[index % workers.length] = await world.startWorker();
  }
  return moments.length;
}

/** How often each type of random fault struck; it counts anew with each seed. */
const randomHits: Record<string, number> = {};

function noteFaults({ faults }: ProcessWorld['gateway']): void {
  for (const [type, hits] of Object.entries(faults().turbulence?.hits ?? {}))
    randomHits[type] = (randomHits[type] ?? 0) + hits;
}

/** How often each type of fault struck, at random and by the stories. */
function faultsOf({ calls }: ProcessWorld['gateway']): Record<string, number> {
  const strikes = calls().filter(({ fault }) => fault !== undefined && fault.ruleId !== 'turbulence').length;
  return { ...randomHits, strike: strikes };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** The product's own judge, which shares no code with the oracle, finds nothing either. */
async function sweepFindings(): Promise<unknown[]> {
  const cli = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
  const sweep = await startChild({
    name: 'sweep',
    command: process.execPath,
    args: [cli, 'sweep', '--json'],
    env: { ...process.env, ...world.env },
  });
  await sweep.exited;
  const printed = sweep.output();
  const { reports } = JSON.parse(printed.slice(printed.indexOf('{'))) as { reports: { findings: unknown[] }[] };
  return reports.flatMap((report) => report.findings);
}

/** How the operations ended, for the record: `provision succeeded`: 51, ... */
function tally(lives: readonly Life[]): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const name of lives.flatMap((life) => life.ends)) ends[name] = (ends[name] ?? 0) + 1;
  return ends;
}

/** What the run did, by the control plane's own events. */
async function counted(): Promise<{ operations: number; steps: number }> {
  const client = new pg.Client({ connectionString: world.postgres.controlUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ operations: number; steps: number }>(
      `select (select count(*)::int from operations) as operations,
              (select count(*)::int from events where type in ('step.ready', 'step.removed')) as steps`,
    );
    return rows[0] ?? { operations: 0, steps: 0 };
  } finally {
    await client.end();
  }
}
