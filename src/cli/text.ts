/** Texts of tenants, of AWS and of containers must not move the cursor. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** `1 tenant`, `2 tenants` */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
] as const;

/** In the largest unit that has it as a whole number: `7 days`, `90 seconds`. Pure. */
export function durationText(seconds: number): string {
  const [length, unit] = units.find(([length]) => seconds > 0 && seconds % length === 0) ?? [1, 'second'];
  return counted(seconds / length, unit);
}

/** A text in lines of at most `width` columns, broken at spaces only: an id stays whole, to be copied. Pure. */
export function wrapped(text: string, width: number, first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = first;
  let begun = false;
  for (const word of text.split(' ')) {
    if (begun && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      begun = false;
    }
    line += begun ? ` ${word}` : word;
    begun = true;
  }
  return [...lines, line.trimEnd()];
}
