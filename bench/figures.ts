/** Of sorted ones, rounded to a tenth. */
export function percentile(sorted: readonly number[], part: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)]! * 10) / 10;
}
