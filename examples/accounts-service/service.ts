import { AccountsError, type AccountsErrorCode, type AccountsRouter } from 'tenantry/accounts';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { createNotes } from './notes.ts';

export interface ServiceOptions {
  readonly router: AccountsRouter;
  /** Whose request it is: from a token that was verified, never from what the request says of itself. Undefined: nobody's. */
  readonly accountOf: (request: IncomingMessage) => string | undefined;
}

/** What the caller is told of an error of the router; any other is a fault of the service. */
const statuses: Partial<Record<AccountsErrorCode, number>> = {
  ACCOUNT_ID_INVALID: 404,
  ACCOUNT_NOT_FOUND: 404,
  ACCOUNT_NOT_ACTIVE: 409,
  ACCOUNT_LOOKUP_FAILED: 503,
  ACCOUNT_MOVING: 503,
  // As after a time-out: it may be done.
  WRITE_OUTCOME_UNKNOWN: 504,
};

/** `GET /notes`, `GET /notes?tag=`, `POST /notes`, `DELETE /notes/{id}` of the account whose request it is. */
export function createService({ router, accountOf }: ServiceOptions): Server {
  const notes = createNotes(router);
  return createServer((request, response) => {
    const accountId = accountOf(request);
    const answered = accountId === undefined ? Promise.resolve<Answer>([401]) : answer(notes, accountId, request);
    answered.catch(failure).then(
      ([status, body]) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body)),
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    );
  });
}

type Answer = readonly [status: number, body?: object];

async function answer(
  notes: ReturnType<typeof createNotes>,
  accountId: string,
  request: IncomingMessage,
): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://service');
  const tag = searchParams.get('tag') ?? undefined;
  const id = /^\/notes\/([^/]+)$/.exec(pathname)?.[1];
  if (request.method === 'DELETE' && id !== undefined) {
    await notes.remove(accountId, decodeURIComponent(id));
    return [204];
  }
  if (pathname !== '/notes') return [404];
  if (request.method === 'GET')
    return [200, tag === undefined ? await notes.list(accountId) : await notes.listTagged(accountId, tag)];
  if (request.method !== 'POST') return [405];
  const note = await readText(request);
  return note === '' ? [400] : [201, await notes.add(accountId, note, tag)];
}

function failure(error: unknown): Answer {
  if (!(error instanceof AccountsError)) return [500];
  return [statuses[error.code] ?? 500, { code: error.code }];
}
