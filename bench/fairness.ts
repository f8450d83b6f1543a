/**
 * What one caller's flood does to another: `npm run bench -- fairness`. A sends 10,000 requests, 64 at once, as fast as they are answered; B asks
 * for the list of tenants, one request after the other; both with service keys, with the limits that hold by default. In turns: B alone, B beside a part of A's.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { insertServiceKey } from '../src/db/service-keys.ts';
import { createDatabase, type Database } from '../src/db/database.ts';
import { newKeyText } from '../src/service-key.ts';
import { percentile } from './figures.ts';
import { saveResult } from './results.ts';
import { startStand } from './stand.ts';

const SENT = 10_000;
const AT_ONCE = 64;
const ROUNDS = 4;
/** Between two of B's, in ms: a caller has a pace of its own. */
const PAUSE_MS = 20;
const PATH = '/api/v1/tenants';

type Statuses = Record<string, number>;

const [, , role, floodUrl = '', floodKey = ''] = process.argv;
if (role === 'flood') await flood(floodUrl, floodKey);
else await measure();

async function measure(): Promise<void> {
  const stand = await startStand('fast');
  const database = createDatabase({ url: stand.parts.env.DATABASE_URL ?? '', applicationName: 'bench' });
  try {
    await stand.startApi({ TENANTRY_SERVICE_KEYS: 'true' });
    await stand.listening();
    const [alone, beside, statuses]: [number[], number[], Statuses] = [[], [], {}];
    let [tookMs, refused] = [0, 0];
    await askFor(stand.apiUrl, await keyFor(database, 'warm'), (asked) => asked === 100);
    const [flooding, asking] = [await keyFor(database, 'flood'), await keyFor(database, 'asks')];
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await askFor(stand.apiUrl, asking, (asked) => asked === 300);
      alone.push(...before.tookMs);
      const other = await startFlood(stand.apiUrl, flooding);
      const meanwhile = await askFor(stand.apiUrl, asking, () => other.isOver());
      beside.push(...meanwhile.tookMs);
      refused += meanwhile.refused;
      const of = await other.ended;
      tookMs += of.tookMs;
      for (const [status, count] of Object.entries(of.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
    }
    const figures = {
      rounds: ROUNDS,
      flood: { sent: SENT, atOnce: AT_ONCE, statuses, tookMs: Math.round(tookMs) },
      alone: figuresOf(alone),
      beside: { ...figuresOf(beside), refused },
    };
    console.log(JSON.stringify(figures, null, 2));
    saveResult('fairness', figures);
  } finally {
    await database.close();
    await stand.stop();
  }
}

function figuresOf(tookMs: readonly number[]) {
  const sorted = [...tookMs].sort((a, b) => a - b);
  return { asked: sorted.length, p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
}

async function keyFor(database: Database, name: string): Promise<string> {
  const { text, hash, prefix } = newKeyText();
  const caller = { principal: 'bench', role: 'system', requestId: name } as const;
  const role = 'platform-operator';
  await insertServiceKey(database, {
    name,
    role,
    tenants: [],
    hash,
    prefix,
    lifetimeMs: 3_600_000,
    by: 'bench',
    caller,
  });
  return text;
}

/** One request after the other. @returns how long each took, in ms, and how many were refused */
async function askFor(apiUrl: string, key: string, isEnough: (asked: number) => boolean) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const tookMs: number[] = [];
  let refused = 0;
  while (!isEnough(tookMs.length)) {
    const beganMs = performance.now();
    if ((await ask(agent, apiUrl, key)) !== 200) refused += 1;
    tookMs.push(performance.now() - beganMs);
    await sleep(PAUSE_MS);
  }
  agent.destroy();
  return { tookMs, refused };
}

function ask(agent: Agent, apiUrl: string, key: string): Promise<number> {
  return new Promise((done, failed) => {
    get(`${apiUrl}${PATH}`, { agent, headers: { authorization: `Bearer ${key}` } }, (response) => {
      response.resume().on('end', () => done(response.statusCode ?? 0));
    }).on('error', failed);
  });
}

/** In a process of its own, so that it does not slow who measures. @returns once its first request is answered */
async function startFlood(apiUrl: string, key: string) {
  const child = fork(fileURLToPath(import.meta.url), ['flood', apiUrl, key], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  let isOver = false;
  const ended = once(child, 'message').then(([said]) => {
    isOver = true;
    return said as { statuses: Statuses; tookMs: number };
  });
  return { ended, isOver: () => isOver };
}

async function flood(apiUrl: string, key: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const statuses: Statuses = {};
  let left = SENT / ROUNDS;
  let hasBegun = false;
  const beganMs = performance.now();
  const send = async () => {
    for (left -= 1; left >= 0; left -= 1) {
      const status = await ask(agent, apiUrl, key);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (!hasBegun) process.send?.({ begun: true });
      hasBegun = true;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  agent.destroy();
  process.send?.({ statuses, tookMs: performance.now() - beganMs });
  process.disconnect();
}
