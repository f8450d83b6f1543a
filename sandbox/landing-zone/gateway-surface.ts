import { z } from 'zod';
import { LEASE_SECONDS } from './accounts.ts';

const listeners = z.record(z.string(), z.looseObject({ host: z.string(), port: z.int(), ca: z.string().optional() }));

const health = z.looseObject({
  gateway: z.literal(true),
  time: z.looseObject({
    taskStartMs: z.number(),
    taskStopMs: z.number(),
    targetHealthMs: z.number(),
    deregistrationDelayScale: z.number(),
    dnsSyncMs: z.number(),
    serviceDrainMs: z.number(),
    stackResourceMs: z.number(),
  }),
});

export interface Connect {
  readonly host: string;
  readonly port: number;
  readonly ca?: string | undefined;
}

/** AWS's default deregistration delay of a target group. */
const deregistrationDelayMs = 300_000;

/** One after the other: a table, and the parameters that name it. */
const STACK_RESOURCES = 2;

/** Where a listener is really reached; undefined when the endpoint is no gateway. */
export async function connectOf(endpointUrl: string, listenerArn: string): Promise<Connect | undefined> {
  const parsed = listeners.safeParse(await readJson(endpointUrl, '/_gateway/listeners'));
  const found = parsed.success ? parsed.data[listenerArn] : undefined;
  return found && { host: found.host, port: found.port, ca: found.ca };
}

/** How long things usually take behind this gateway, in ms; undefined when the endpoint is no gateway. */
export async function usualMsOf(endpointUrl: string): Promise<Record<string, number> | undefined> {
  const parsed = health.safeParse(await readJson(endpointUrl, '/_gateway/health'));
  if (!parsed.success) return undefined;
  const { time } = parsed.data;
  const drainMs = deregistrationDelayMs * time.deregistrationDelayScale;
  return {
    'ecs-service.ready': Math.round(time.taskStartMs + time.targetHealthMs),
    'ecs-service.gone': Math.round(drainMs + time.taskStopMs + time.serviceDrainMs),
    'dns-record.ready': Math.round(time.dnsSyncMs),
    'dns-record.gone': Math.round(time.dnsSyncMs),
    'target-group.gone': 0,
    'ssm-status.gone': LEASE_SECONDS * 1_000,
    'cloudformation-stack.ready': time.stackResourceMs * STACK_RESOURCES,
    'cloudformation-stack.gone': time.stackResourceMs * STACK_RESOURCES,
  };
}

async function readJson(endpointUrl: string, path: string): Promise<unknown> {
  const response = await fetch(new URL(path, endpointUrl));
  return response.json().catch(() => undefined);
}
