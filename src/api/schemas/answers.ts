import { z } from 'zod';
import { errorTable, type ErrorCode, type ErrorInfo } from '../../contracts/errors.ts';

const answerCodes = Object.entries(errorTable).flatMap(([code, row]) => ('httpStatus' in row ? [code] : []));

export const errorAnswer = z
  .object({
    error: z.object({
      code: z.string().describe(`One of ${answerCodes.join(', ')} (docs/errors.md)`),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
      requestId: z.string().meta({ format: 'uuid' }),
    }),
  })
  .meta({ id: 'Error', description: 'What went wrong, and what to do about it' });

/** An answer in other media types than JSON, or in several. */
export interface MediaAnswer {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** Error answers that any route may give, besides those that any path of HTTP may (`default`). */
const always: readonly ErrorCode[] = ['INVALID_INPUT', 'NOT_FOUND', 'INTERNAL', 'DATABASE_UNAVAILABLE', 'RATE_LIMITED'];

const byHttp: readonly ErrorCode[] = ['METHOD_NOT_ALLOWED', 'REQUEST_TIMEOUT', 'HEADERS_TOO_LARGE'];

/** Response schemas of a route: its own answers, and an error body for each status that its error codes have. */
export function answers<T extends Readonly<Record<number, z.ZodType | MediaAnswer>>>(
  own: T,
  codes: readonly ErrorCode[] = [],
): T & Record<number, z.ZodType> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...always, ...codes])) {
    const row: ErrorInfo = errorTable[code];
    const status = row.httpStatus ?? 500;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const errors = [...byStatus].map(([status, names]) => [status, errorAnswer.describe(names.join(', '))] as const);
  const rest = { default: errorAnswer.describe(`Any other error, such as ${byHttp.join(', ')}`) };
  return Object.assign<Record<number, z.ZodType>, typeof rest, T>(Object.fromEntries(errors), rest, own);
}
