import type { IncomingMessage } from 'node:http';
import { RequestError } from '../client/request-error.ts';

/** The values of all headers of one name (in lower case): Node.js drops or joins those beyond the first. */
export function valuesOf({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] {
  return rawHeaders.flatMap((text, at) =>
    at % 2 === 0 && text.toLowerCase() === name ? [(rawHeaders[at + 1] ?? '').trim()] : [],
  );
}

/** Those that have one value, and decide who asks and where: a proxy before the API may read another one than the API. */
const singular = ['host', 'authorization', 'origin'];

/** @throws RequestError INVALID_INPUT */
export function refuseRepeatedHeaders(raw: Pick<IncomingMessage, 'rawHeaders'>): void {
  const header = singular.find((name) => valuesOf(raw, name).length > 1);
  if (header === undefined) return;
  throw new RequestError('INVALID_INPUT', `the header ${header} is given more than once`, { details: { header } });
}
