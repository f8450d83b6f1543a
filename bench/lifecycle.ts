/**
 * One tenant alone, then a wave of them under AWS's rate limits, in AWS-like time: `npm run bench -- lifecycle [tenants]`. Everything
 * that is compared is measured in this one run.
 */
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallRecord } from '../sandbox/gateway/gateway.ts';
import { loadConfig } from '../src/config.ts';
import { createTemporalClient, type TemporalClient } from '../src/temporal/client.ts';
import { costOf, type Cost } from './history.ts';
import { saveResult } from './results.ts';
import { startStand, type Stand } from './stand.ts';
import { makeTenants, type Made } from './tenants.ts';

const size = Number(process.argv[2] ?? 24);

/** AWS's buckets of changing calls that a pooled tenant draws on. Source: aws-facts, ELB and ECS throttling pages. */
const buckets = [
  {
    name: 'ELB, changing calls',
    burst: 20,
    perSecond: 3,
    counts: ({ service, kind }: CallRecord) => service === 'elasticloadbalancing' && kind === 'change',
  },
  {
    name: 'ECS, task definitions',
    burst: 20,
    perSecond: 1,
    counts: ({ action }: CallRecord) => /^(Der|R)egisterTaskDefinition$/.test(action),
  },
  {
    name: 'ECS, services',
    burst: 50,
    perSecond: 5,
    counts: ({ action }: CallRecord) => /^(Create|Update|Delete)Service$/.test(action),
  },
];

const stand = await startStand('aws-like');
const config = loadConfig('worker', { ...process.env, ...stand.parts.env });
const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
try {
  await Promise.all([stand.startWorker(), stand.startApi()]);
  await stand.ready();
  const alone = await runAlone(stand, temporal);
  console.log(JSON.stringify(alone.figures, null, 2));
  const wave = await runWave(stand, temporal, alone);
  console.log(JSON.stringify(wave, null, 2));
  saveResult('lifecycle', { alone: alone.figures, wave });
} finally {
  await temporal.close();
  await stand.stop();
}

interface Alone {
  readonly tookMs: number;
  readonly calls: readonly CallRecord[];
  readonly figures: object;
}

async function runAlone(on: Stand, client: TemporalClient): Promise<Alone> {
  const before = await lastSeq(on);
  const watching = new AbortController();
  const standing = watchDeployments(on, 'alone', watching.signal);
  const [made] = await makeTenants(on, ['alone']);
  watching.abort();
  const calls = (await on.calls(before)).filter(isOurs);
  const tookMs = made!.readyAtMs - made!.acceptedAtMs;
  const servicesMs = await standing;
  const criticalPathMs = Object.values(servicesMs).reduce((a, b) => a + b, 0);
  const { events, actions } = await costOf(client, made!.workflowId);
  const figures = {
    tookMs,
    criticalPathMs,
    ratio: round(tookMs / criticalPathMs),
    servicesMs,
    events,
    actions,
    calls: countBy(calls, ({ service }) => service),
    route53: countBy(
      calls.filter(({ service }) => service === 'route53'),
      ({ action }) => action,
    ),
  };
  return { tookMs, calls, figures };
}

/** How long AWS itself took over each of the tenant's services, in ms: from CreateService until the deployment stood. */
async function watchDeployments(on: Stand, slug: string, done: AbortSignal): Promise<Record<string, number>> {
  const { env, platform } = on.parts;
  const [cell] = platform.cells;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' };
  const ecs = new ECSClient({ region: env.AWS_REGION!, endpoint: env.AWS_ENDPOINT_URL!, credentials });
  const names = ['backend', 'frontend'].map((component) => `moamalat-${slug}-${component}`);
  const tookMs: Record<string, number> = {};
  while (!done.aborted) {
    const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster: cell!.cluster, services: names }));
    for (const { serviceName = '', deployments = [], createdAt } of services)
      if (deployments[0]?.rolloutState === 'COMPLETED') tookMs[serviceName] ??= Date.now() - createdAt!.getTime();
    await sleep(100);
  }
  ecs.destroy();
  return tookMs;
}

async function runWave(on: Stand, client: TemporalClient, alone: Alone) {
  await on.setLimits({ factor: 1 });
  const before = await lastSeq(on);
  const made = await makeTenants(
    on,
    Array.from({ length: size }, (_, n) => `wave-${n}`),
  );
  const calls = (await on.calls(before)).filter(isOurs);
  const startMs = Math.min(...made.map((m) => m.acceptedAtMs));
  const tookMs = Math.max(...made.map((m) => m.readyAtMs)) - startMs;
  const bounds = buckets.map(({ name, burst, perSecond, counts }) => {
    const perTenant = alone.calls.filter(counts).length;
    const waitMs = Math.round(Math.max(0, ((perTenant * size - burst) / perSecond) * 1000));
    return { name, perTenant, waitMs, lastCallAtMs: lastCallAt(calls.filter(counts)) - startMs };
  });
  const tightest = bounds.reduce((a, b) => (b.waitMs > a.waitMs ? b : a));
  const allowedMs = tightest.waitMs + alone.tookMs;
  const costs = await Promise.all(made.map(({ workflowId }) => costOf(client, workflowId)));
  return {
    tenants: size,
    tookMs,
    allowedMs: Math.round(allowedMs),
    tightest: tightest.name,
    ratio: round(allowedMs / tookMs),
    bounds,
    ...summary(costs),
    throttledByAws: countBy(
      calls.filter(({ outcome }) => outcome === 'throttled'),
      ({ service, action }) => `${service} ${action}`,
    ),
    calls: countBy(calls, ({ service }) => service),
    readyAfterMs: made.map((m) => m.readyAtMs - startMs).sort((a, b) => a - b),
    stepsReadyAfterMs: stepsReadyAfter(made, startMs),
  };
}

function summary(costs: readonly Cost[]) {
  const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
  const againBecause: Record<string, number> = {};
  for (const cost of costs)
    for (const [why, count] of Object.entries(cost.againBecause)) againBecause[why] = (againBecause[why] ?? 0) + count;
  return {
    actionsPerTenant: round(sum((c) => c.actions) / costs.length),
    eventsPerTenant: round(sum((c) => c.events) / costs.length),
    turnsAwaited: sum((c) => c.turnsAwaited),
    attemptsAgain: sum((c) => c.attemptsAgain),
    againBecause,
  };
}

/** Of each step: when it was ready in the first tenant, in half of them and in the last. */
function stepsReadyAfter(made: readonly Made[], startMs: number): Record<string, readonly number[]> {
  const steps = [...new Set(made.flatMap(({ stepReadyAtMs }) => Object.keys(stepReadyAtMs)))];
  return Object.fromEntries(
    steps.map((step) => {
      const after = made.map(({ stepReadyAtMs }) => (stepReadyAtMs[step] ?? 0) - startMs).sort((a, b) => a - b);
      return [step, [after[0]!, after[Math.floor(after.length / 2)]!, after.at(-1)!]];
    }),
  );
}

function lastCallAt(calls: readonly CallRecord[]): number {
  return Math.max(...calls.map(({ at }) => Date.parse(at)));
}

async function lastSeq(on: Stand): Promise<number> {
  return (await on.calls(0)).at(-1)?.seq ?? 0;
}

/** Made for a step: the bench's own looks name none. */
function isOurs({ caller }: CallRecord): boolean {
  return 'operationId' in caller && caller.operationId !== undefined;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
