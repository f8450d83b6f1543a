import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Older or newer messages are refused, in s: somebody may have recorded them. */
const TOLERANCE_SECONDS = 300;

/** Whether a message was signed with the secret (`whsec_...`), lately. */
export function isSigned(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS)) return false;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  // While a secret is rotated there are two.
  return signatures.split(' ').some((one) => {
    const given = Buffer.from(one.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

/** Answers 204 once `take` has stored a message: one that it knows by its id already is stored no second time. */
export function receiver(secret: string, take: (id: string, message: unknown) => Promise<void>): Server {
  return createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      if (!isSigned(request.headers, body, secret)) return response.writeHead(401).end();
      await take(String(request.headers['webhook-id']), JSON.parse(body.toString()));
      return response.writeHead(204).end();
    })().catch(() => response.writeHead(500).end());
  });
}
