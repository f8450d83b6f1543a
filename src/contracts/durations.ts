const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `0`, or a whole number of seconds, minutes, hours or days, such as `90s`, `30m`, `12h`, `7d`, in ms; undefined for any other text. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? undefined : unitMs[unit];
  return ms === undefined ? undefined : Number(count) * ms;
}
