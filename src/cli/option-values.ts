import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { createTenantBody } from '../api/schemas/request-bodies.ts';
import { graceMsOf, graceProblem } from '../contracts/grace.ts';
import { parseSlug } from '../products/slug.ts';
import { RefusedByApiError } from './checked-command.ts';

/** A parser of an option that is a number in decimal digits. @throws InvalidArgumentError naming the range */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `, ${min} or more` : ` from ${min} to ${max}`;
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be a whole number${range}`);
  };
}

/** A parser of an option that takes one or several of these values, with commas between. @throws InvalidArgumentError */
export function oneOrSeveral(values: readonly string[]): (text: string) => string {
  return (text) => {
    if (text.split(',').every((one) => values.includes(one))) return text;
    throw new InvalidArgumentError(`must be one or several of ${values.join(', ')}, with commas between`);
  };
}

/** @throws RefusedByApiError */
export function slug(text: string): string {
  const parsed = parseSlug(text);
  if (!parsed.ok) throw new RefusedByApiError(parsed.problem);
  return text;
}

/** @throws RefusedByApiError */
export function grace(text: string): string {
  if (graceMsOf(text) === undefined) throw new RefusedByApiError(graceProblem);
  return text;
}

/** @throws RefusedByApiError */
export const displayName = valueOf(createTenantBody.shape.displayName);
/** @throws RefusedByApiError */
export const contactEmail = valueOf(createTenantBody.shape.contactEmail);

function valueOf(schema: z.ZodType<string>): (text: string) => string {
  return (text) => {
    const parsed = schema.safeParse(text);
    if (!parsed.success) throw new RefusedByApiError(parsed.error.issues.map(({ message }) => message).join(', '));
    return text;
  };
}

/** A key as the API takes it in the header `Idempotency-Key`. @throws InvalidArgumentError */
export function requestKey(text: string): string {
  if (/^[ -~]{1,255}$/.test(text) && text.trim() === text) return text;
  throw new InvalidArgumentError('must be 1 to 255 printable ASCII characters');
}
