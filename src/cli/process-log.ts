import { types } from 'node:util';
import { pino, type DestinationStream, type Logger } from 'pino';
import { traceIds } from '../telemetry/trace-context.ts';

/** The log of a long-running process: JSON lines on stderr, so that stdout stays for answers. */
export function processLog(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: withErrorsReadable },
      mixin: traceIds,
    },
    destination,
  );
}

/** pino reads an error under `err` alone; libraries (Temporal's SDK) pass theirs under other names, also nested. */
function withErrorsReadable({ err, ...rest }: Record<string, unknown>): Record<string, unknown> {
  const entry = Object.entries(rest).map(([key, value]) => [key, readable(value, DEEPEST)] as const);
  return { ...(err === undefined ? {} : { err }), ...Object.fromEntries(entry) };
}

const DEEPEST = 4;

function readable(value: unknown, depth: number): unknown {
  if (isError(value)) return pino.stdSerializers.err(value);
  if (depth === 0) return value;
  if (Array.isArray(value)) return value.map((item) => readable(item, depth - 1));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item, depth - 1)]));
}

/** Also one of another realm: workflows run in a context of their own. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

/** Anything else (a date, a request) knows itself how it is written. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
