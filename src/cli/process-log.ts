import { pino, type Logger } from 'pino';

/** The log of a long-running process: JSON lines on stderr, so that stdout stays for answers. */
export function processLog(level: string): Logger {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
}
