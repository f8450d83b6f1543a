import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { FastifyBaseLogger } from 'fastify';
import type { EventView } from '../../client/views.ts';
import { accessEnd, type StreamAccess } from './access-watch.ts';
import { endFrame, endOf, shuttingDown, type StreamEnd } from './stream-end.ts';
import type { StreamTimes } from './times.ts';
import { waker, type Waker } from '../waker.ts';

/** No proxy may keep, compress or collect it. */
export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  // Its URL may hold a ticket.
  'referrer-policy': 'no-referrer',
} as const;

export interface EventSource {
  /** An event as whoever reads may see it now. */
  readonly shown: (event: EventView) => unknown;
  /** Events after an id, oldest first. */
  readonly read: (page: { after: number; limit: number }) => Promise<EventView[]>;
  /** Calls back when there may be new ones. @returns unsubscribe */
  readonly subscribe: (onEvents: () => void) => () => void;
}

interface StreamOptions {
  /** Of the answer, besides those of every stream. */
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>;
  /** Id of the last event that the client has. */
  readonly after: number;
  readonly access: StreamAccess;
  readonly times: StreamTimes;
  /** Aborts when the process is to end. */
  readonly closing: AbortSignal;
  readonly log: FastifyBaseLogger;
}

const PAGE = 100;
/** How long a client may take to read the last frame, in ms. */
const GOODBYE_MS = 5_000;

/** Writes events as they come (server-sent events) until the client goes, its access ends or the server closes; never throws. */
export async function streamEvents(
  response: ServerResponse,
  source: EventSource,
  options: StreamOptions,
): Promise<void> {
  const { access, closing, headers, log, times } = options;
  const ended = new AbortController();
  const isOver = () => ended.signal.aborted;
  let why: StreamEnd | undefined;
  const end = (because?: StreamEnd) => {
    if (isOver()) return;
    why = because;
    ended.abort();
  };
  const shutDown = () => end(shuttingDown);
  response.on('close', () => end());
  closing.addEventListener('abort', shutDown, { once: true });
  if (closing.aborted) shutDown();
  const wake = waker(ended.signal);
  const unsubscribe = source.subscribe(wake.call);
  accessEnd(access, { times, ended: ended.signal, log }).then(end, (error: unknown) => {
    if (!isOver()) log.error({ err: error }, 'the access of an event stream is not watched any more');
    end(endOf(error));
  });
  try {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200, streamHeaders);
    const write = (text: string) => writeWithin(response, text, ended.signal, times.stallMs);
    await write('retry: 1000\n\n');
    await pump(source, write, options, wake, ended.signal);
  } catch (error) {
    if (!isOver()) {
      // The client comes again with the id of its last event, and loses nothing.
      const because = endOf(error);
      if (because.reason === 'access-lost') await access.onRefusal(error);
      else log.warn({ err: error }, 'event stream broke off');
      end(because);
    }
  } finally {
    unsubscribe();
    closing.removeEventListener('abort', shutDown);
    sayGoodbye(response, why);
  }
}

async function pump(
  source: EventSource,
  write: (text: string) => Promise<void>,
  { after: from, times }: StreamOptions,
  wake: Waker,
  ended: AbortSignal,
): Promise<void> {
  let after = from;
  let lastWriteAt = Date.now();
  const isOver = () => ended.aborted;
  while (!isOver()) {
    wake.reset();
    const events = await source.read({ after, limit: PAGE });
    for (const event of events) {
      if (isOver()) return;
      await write(frame(event, source.shown(event)));
      after = event.id;
      lastWriteAt = Date.now();
    }
    if (events.length === PAGE) continue;
    if (Date.now() - lastWriteAt >= times.heartbeatMs) {
      await write(': heartbeat\n\n');
      lastWriteAt = Date.now();
    }
    await wake.wait(Math.min(times.pollMs, times.heartbeatMs));
  }
}

function frame(event: EventView, shown: unknown): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(shown)}\n\n`;
}

/** Nothing more is read from the database while a client takes nothing in, and one that goes on like that is cut off. */
async function writeWithin(response: ServerResponse, text: string, ended: AbortSignal, stallMs: number): Promise<void> {
  if (response.write(text) || ended.aborted) return;
  const timer = setTimeout(() => response.destroy(), stallMs);
  try {
    await once(response, 'drain', { signal: ended });
  } finally {
    clearTimeout(timer);
  }
}

function sayGoodbye(response: ServerResponse, why: StreamEnd | undefined): void {
  if (response.destroyed) return;
  const timer = setTimeout(() => response.destroy(), GOODBYE_MS);
  response.once('close', () => clearTimeout(timer));
  response.end(why && endFrame(why));
}
