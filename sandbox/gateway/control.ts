import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { readBody } from './request.ts';
import { isTimePreset, type TimePreset, type TimeSettings } from './time.ts';

/** What the control surface shows and does. */
export interface ControlParts {
  readonly health: () => unknown;
  readonly inventory: () => Promise<unknown>;
  readonly listeners: () => Promise<unknown>;
  readonly mails: () => Promise<unknown>;
  readonly calls: () => unknown;
  readonly setTime: (settings: TimePreset | Partial<TimeSettings>) => TimeSettings;
}

const prefix = '/_gateway/';

const timeBody = z.union([
  z.strictObject({ preset: z.custom<TimePreset>(isTimePreset, 'must be fast, demo or aws-like') }),
  z
    .strictObject({
      taskStartMs: z.number().min(0),
      taskStopMs: z.number().min(0),
      taskRetryMs: z.number().min(0),
      targetHealthMs: z.number().min(1),
      deregistrationDelayScale: z.number().min(0),
      gracePeriodScale: z.number().min(0),
      dnsSyncMs: z.number().min(0),
      serviceDrainMs: z.number().min(0),
    })
    .partial(),
]);

/** True for requests to the gateway itself. */
export function isControlRequest(request: IncomingMessage): boolean {
  return (request.url ?? '').startsWith(prefix);
}

/** Answers `/_gateway/...`. */
export async function serveControl(
  parts: ControlParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await serveRoute(parts, request, response);
  } catch (error) {
    send(response, 503, { error: error instanceof Error ? error.message : String(error) });
  }
}

async function serveRoute(parts: ControlParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method ?? 'GET'} ${(request.url ?? '').slice(prefix.length).split('?', 1)[0] ?? ''}`;
  switch (route) {
    case 'GET health': {
      send(response, 200, parts.health());
      return;
    }
    case 'GET inventory': {
      send(response, 200, await parts.inventory());
      return;
    }
    case 'GET listeners': {
      send(response, 200, await parts.listeners());
      return;
    }
    case 'GET mails': {
      send(response, 200, await parts.mails());
      return;
    }
    case 'GET calls': {
      send(response, 200, parts.calls());
      return;
    }
    case 'POST time':
      return setTime(parts, request, response);
    default: {
      send(response, 404, {
        error: `no ${route} here; there are health, inventory, listeners, mails, calls (GET) and time (POST)`,
      });
      return;
    }
  }
}

async function setTime(parts: ControlParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  const parsed = timeBody.safeParse(parseJson(body.toString('utf8')));
  if (!parsed.success) {
    send(response, 400, { error: z.prettifyError(parsed.error) });
    return;
  }
  const settings = 'preset' in parsed.data ? parsed.data.preset : parsed.data;
  send(response, 200, parts.setTime(settings));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body, undefined, 2)}\n`);
}
