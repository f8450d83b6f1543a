import type { Parts } from '../stack/parts.ts';
import { createAccount } from './account.ts';
import { apiOf } from './clients.ts';
import { openRows } from './account-rows.ts';
import { demoAccount } from './account-settings.ts';

/** Makes a public account before the eyes of whoever started the sandbox, and says how to go on with it, and to make a private one. @returns its id */
export async function accountsDemo({ parts }: { readonly parts: Parts }): Promise<string> {
  const { TENANTRY_API_URL: apiUrl = '' } = parts.env;
  const { status, tenantId: id } = await createAccount(parts, apiOf(parts), 'public');
  if (status.status !== 'active') {
    console.log(`\n  The demo account is ${status.status}: ${status.error?.message ?? status.operation.state}`);
    return id;
  }
  const rows = openRows(parts);
  try {
    console.log(`  rows of a service written to ${await rows.write(id)} through the router`);
    await rows.areThere(id);
  } finally {
    rows.close();
  }
  console.log(commands(apiUrl, id));
  return id;
}

function commands(apiUrl: string, id: string): string {
  const body = JSON.stringify(demoAccount('private')).replaceAll("'", String.raw`'\''`);
  return `
  the account, and how far it is
    curl ${apiUrl}/accounts/${id}
    curl ${apiUrl}/accounts/${id}/status
  another one, with a table of its own
    curl -X POST ${apiUrl}/accounts -H 'content-type: application/json' -d '${body}'
  its rows, as a service reads and writes them (with the environment below)
    PORT=8080 npx tsx examples/accounts-service/main.ts
    curl -X POST http://127.0.0.1:8080/notes -H 'x-account-id: ${id}' -d 'a note'
    curl http://127.0.0.1:8080/notes -H 'x-account-id: ${id}'
  gone, its id typed back
    curl -X DELETE '${apiUrl}/accounts/${id}?confirm=${id}'`;
}
