const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `0`, or a whole number of seconds, minutes, hours or days, such as `90s`, `30m`, `12h`, `7d`, in ms; undefined for any other text. */
export function durationMs(text: string): number | undefined {
  if (text === '0') return 0;
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = unit === undefined ? undefined : unitMs[unit];
  return ms === undefined ? undefined : Number(count) * ms;
}

/** A pattern of JSON Schema for such texts up to a number of days. More digits than are needed are taken, too, but not described. */
export function durationPattern(days: number): string {
  const longestMs = days * 86_400_000;
  const counts = Object.entries(unitMs).map(([unit, ms]) => `(?:${upTo(Math.min(999_999, longestMs / ms))})${unit}`);
  return `^(?:0|${counts.join('|')})$`;
}

/** Whole numbers from 0 to the largest. */
function upTo(largest: number): string {
  const digits = String(largest);
  const shorter = digits.length === 1 ? [] : [`0|[1-9][0-9]{0,${digits.length - 2}}`];
  const asLong = Array.from(digits).flatMap((digit, place) => {
    const [least, most] = [place === 0 && digits.length > 1 ? 1 : 0, Number(digit) - 1];
    return most < least ? [] : [`${digits.slice(0, place)}[${least}-${most}][0-9]{${digits.length - place - 1}}`];
  });
  return [...shorter, ...asLong, digits].join('|');
}
