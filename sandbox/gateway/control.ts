import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { inventoryQueryOf, type InventoryQuery } from './inventory.ts';
import { readBody } from './request.ts';
import { isTimePreset, type TimePreset, type TimeSettings } from './time.ts';
import { faultRuleSchema, faultSettingSchema, type FaultRule, type FaultSetting } from './faults/setting.ts';

/** What the control surface shows and does. */
export interface ControlParts {
  readonly health: () => unknown;
  readonly inventory: (query: InventoryQuery) => Promise<unknown>;
  readonly listeners: () => Promise<unknown>;
  readonly mails: () => Promise<unknown>;
  readonly calls: (afterSeq?: number) => unknown;
  readonly setTime: (settings: TimePreset | Partial<TimeSettings>) => TimeSettings;
  readonly faults: () => unknown;
  readonly setFaults: (setting: FaultSetting) => unknown;
  readonly addRule: (rule: FaultRule) => string;
  readonly removeRule: (id: string) => boolean;
  readonly release: (parkedId?: string) => number;
}

const prefix = '/_gateway/';

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
  const answer = await route(parts, request).catch((error: unknown) => ({
    status: error instanceof Refused ? error.status : 503,
    body: { error: error instanceof Error ? error.message : String(error) },
  }));
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(answer.body, undefined, 2)}\n`);
}

interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A request that is answered with an error of its own. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

type Route = (parts: ControlParts, request: Asked) => unknown;

interface Asked {
  readonly query: URLSearchParams;
  /** The last part of the path, of a route that ends in `*`. */
  readonly id: string;
  /** The body, checked. @throws Refused 400 */
  readonly body: <T>(schema: z.ZodType<T>) => Promise<T>;
}

const routes: Readonly<Record<string, Route>> = {
  'GET health': (parts) => parts.health(),
  'GET inventory': (parts, { query }) => parts.inventory(inventoryQueryOf(query)),
  'GET listeners': (parts) => parts.listeners(),
  'GET mails': (parts) => parts.mails(),
  'GET calls': (parts, { query }) => parts.calls(readAfter(query.get('after'))),
  'POST time': async (parts, { body }) => {
    const settings = await body(timeBody);
    return parts.setTime('preset' in settings ? settings.preset : settings);
  },
  'GET faults': (parts) => parts.faults(),
  'PUT faults': async (parts, { body }) => {
    const setting = await body(faultSettingSchema);
    return orRefused(() => parts.setFaults(setting));
  },
  'POST faults/rules': async (parts, { body }) => {
    const rule = await body(faultRuleSchema);
    return { id: orRefused(() => parts.addRule(rule)) };
  },
  'DELETE faults/rules/*': (parts, { id }) => {
    if (!parts.removeRule(id)) throw new Refused(404, `there is no rule "${id}"`);
    return { removed: id };
  },
  'POST faults/release': async (parts, { body }) => {
    const { id } = await body(releaseBody);
    const released = parts.release(id);
    if (id !== undefined && released === 0) throw new Refused(404, `there is no parked call "${id}"`);
    return { released };
  },
};

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
      stackResourceMs: z.number().min(0),
      stackTimeoutScale: z.number().min(0),
    })
    .partial(),
]);

const releaseBody = z.strictObject({ id: z.string().optional() });

async function route(parts: ControlParts, request: IncomingMessage): Promise<ControlAnswer> {
  const [path = '', query = ''] = (request.url ?? '').slice(prefix.length).split('?', 2);
  // `weather` is what faults were called before: scripts may still say it.
  const asked = `${request.method ?? 'GET'} ${path.replace(/^weather(?=\/|$)/, 'faults')}`;
  const slash = asked.lastIndexOf('/');
  const found = routeOf(asked) ?? (slash < 0 ? undefined : routeOf(`${asked.slice(0, slash)}/*`));
  if (!found) throw new Refused(404, `no ${asked} here; there are ${Object.keys(routes).join(', ')}`);
  const body = async <T>(schema: z.ZodType<T>): Promise<T> => {
    const parsed = schema.safeParse(parseJson((await readBody(request)).toString('utf8')));
    if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
    return parsed.data;
  };
  const id = decoded(asked.slice(slash + 1));
  return { status: 200, body: await found(parts, { query: new URLSearchParams(query), id, body }) };
}

function routeOf(name: string): Route | undefined {
  return Object.hasOwn(routes, name) ? routes[name] : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readAfter(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Refused(400, `after=${text} is not the number of a call`);
  return Number(text);
}

/** What the fault injection does not take is the asker's mistake. */
function orRefused<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (error instanceof RangeError) throw new Refused(400, error.message, { cause: error });
    throw error;
  }
}

/** An empty body is an empty object. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
