/** Takes one line for people, without a newline. */
export type Log = (line: string) => void;

/** Elapsed time as people read it: `850 ms`, `12.3 s`, `2.5 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${(durationMs / 60_000).toFixed(1)} min`;
}

/** The message of anything thrown, its causes behind it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/** The line behind the time of day, `14:03:59`, as the clock on the wall shows it. */
export function atTime(line: string, at: Date = new Date()): string {
  return `${at.toTimeString().slice(0, 8)}  ${line}`;
}
