import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type Provider from 'oidc-provider';
import { isUser, users } from './users.ts';

/** A page of the issuer, around what is in it. */
export function page(content: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox: sign in</title><body style="font-family: sans-serif; max-width: 30em; margin: 3em auto"><h1>Tenantry sandbox</h1>${content}</body></html>`;
}

/** Where the provider sends whoever has to sign in: names are chosen, no password is asked for. */
export async function answerInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method === 'POST') {
    const user = new URLSearchParams(await text(request)).get('user') ?? '';
    if (isUser(user)) {
      await provider.interactionFinished(request, response, { login: { accountId: user } });
      return;
    }
  }
  const buttons = users.map((user) => `<p><button name="user" value="${user}">${user}</button></p>`).join('');
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(page(`<p>Sign in as</p><form method="post" action="/interaction/${uid}">${buttons}</form>`));
}
