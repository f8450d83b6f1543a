import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { FastifyBaseLogger } from 'fastify';
import type { TenantryClient } from '../client/tenantry.ts';
import type { Caller } from '../contracts/caller.ts';
import type { EventView } from '../client/views.ts';
import { waker, type Waker } from './waker.ts';

/** In ms. `pollMs` is the safety net for notifications that were lost. */
export interface StreamTimes {
  readonly heartbeatMs: number;
  readonly pollMs: number;
}

export const defaultStreamTimes: StreamTimes = { heartbeatMs: 15_000, pollMs: 2_000 };

export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const;

interface StreamOptions {
  readonly caller: Caller;
  readonly tenantId: string;
  /** Id of the last event that the client has. */
  readonly after: number;
  readonly times: StreamTimes;
  readonly closing: AbortSignal;
  readonly log: FastifyBaseLogger;
}

const PAGE = 100;

/** Writes events as they come (server-sent events) until the client goes or the server closes; never throws. */
export async function streamEvents(
  response: ServerResponse,
  client: TenantryClient,
  options: StreamOptions,
): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  response.on('close', end);
  options.closing.addEventListener('abort', end, { once: true });
  if (options.closing.aborted) end();
  const wake = waker(ended.signal);
  const unsubscribe = client.subscribe(options.caller, options.tenantId, wake.call);
  try {
    response.writeHead(200, streamHeaders);
    await write(response, 'retry: 1000\n\n', ended.signal);
    await pump(response, client, options, wake, ended.signal);
  } catch (error) {
    // The client reconnects with Last-Event-ID and loses nothing.
    if (!ended.signal.aborted) options.log.warn({ err: error, tenantId: options.tenantId }, 'event stream broke off');
  } finally {
    unsubscribe();
    options.closing.removeEventListener('abort', end);
    response.end();
  }
}

async function pump(
  response: ServerResponse,
  client: TenantryClient,
  options: StreamOptions,
  wake: Waker,
  ended: AbortSignal,
): Promise<void> {
  let after = options.after;
  let lastWriteAt = Date.now();
  while (!ended.aborted) {
    wake.reset();
    const events = await client.events(options.caller, options.tenantId, { after, limit: PAGE });
    for (const event of events) {
      await write(response, frame(event), ended);
      after = event.id;
      lastWriteAt = Date.now();
    }
    if (events.length === PAGE) continue;
    if (Date.now() - lastWriteAt >= options.times.heartbeatMs) {
      await write(response, ': heartbeat\n\n', ended);
      lastWriteAt = Date.now();
    }
    await wake.wait(Math.min(options.times.pollMs, options.times.heartbeatMs));
  }
}

function frame(event: EventView): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

async function write(response: ServerResponse, text: string, ended: AbortSignal): Promise<void> {
  if (!response.write(text) && !ended.aborted) await once(response, 'drain', { signal: ended });
}
