import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { durationMs } from '../contracts/durations.ts';

export const DEFAULT_KEY_LIFETIME = '90d';
const LONGEST_MS = 365 * 86_400_000;

/** @throws InvalidArgumentError */
export function keyName(text: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(text) && !text.startsWith('tnk_') && !z.uuid().safeParse(text).success)
    return text;
  throw new InvalidArgumentError(
    'must be 1 to 63 lower case letters, digits, dots, underscores and hyphens, beginning with a letter or digit, and no id nor key',
  );
}

/** In ms. @throws InvalidArgumentError */
export function keyLifetime(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms >= 60_000 && ms <= LONGEST_MS) return ms;
  throw new InvalidArgumentError('must be a number of minutes, hours or days up to 365 days: 12h, 30d');
}

/** Collects what an option is given that may be given several times. @throws InvalidArgumentError */
export function tenantIds(text: string, before: readonly string[] = []): readonly string[] {
  const id = text.toLowerCase();
  if (!z.uuid().safeParse(id).success) throw new InvalidArgumentError('must be the id of a tenant');
  return [...new Set([...before, id])];
}
