import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAccountsRouter } from 'tenantry/accounts';
import { createService } from '../../examples/accounts-service/service.ts';
import { useRouterWorld } from './fixture.ts';

const world = useRouterWorld();
let service: Server;
beforeAll(async () => {
  const { dynamodb, ssm } = world.current;
  const router = createAccountsRouter({ dynamodb, ssm });
  service = createService({ router, accountOf: ({ headers }) => headers.authorization });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void service.close());

async function ask(authorization: string | undefined, path: string, init: RequestInit = {}) {
  const { port } = service.address() as AddressInfo;
  const headers = new Headers(authorization === undefined ? {} : { authorization });
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

it('the example service keeps the notes of public and private accounts apart', async () => {
  const { addPublicAccount, addPrivateAccount } = world.current;
  const accounts = [await addPublicAccount(), await addPublicAccount(), (await addPrivateAccount()).accountId];
  for (const [n, accountId] of accounts.entries()) {
    expect(await ask(accountId, '/notes?tag=red', { method: 'POST', body: `red ${n}` })).toMatchObject({ status: 201 });
    expect(await ask(accountId, '/notes', { method: 'POST', body: `plain ${n}` })).toMatchObject({ status: 201 });
  }
  for (const [n, accountId] of accounts.entries()) {
    const { body } = await ask(accountId, '/notes');
    expect(body).toMatchObject([{ text: `red ${n}` }, { text: `plain ${n}` }]);
    expect(await ask(accountId, '/notes?tag=red')).toMatchObject({ body: [{ text: `red ${n}` }] });
  }
  const [first, second] = accounts;
  const [note] = (await ask(first, '/notes')).body as { id: string }[];
  const path = `/notes/${encodeURIComponent(note!.id)}`;
  await ask(second, path, { method: 'DELETE' });
  expect((await ask(first, '/notes')).body).toHaveLength(2);
  expect(await ask(first, path, { method: 'DELETE' })).toEqual({ status: 204, body: undefined });
  expect((await ask(first, '/notes')).body).toHaveLength(1);
});

it('the example service says what is wrong with an account', async () => {
  expect(await ask(undefined, '/notes')).toMatchObject({ status: 401 });
  expect(await ask('nobody', '/notes')).toMatchObject({ status: 404, body: { code: 'ACCOUNT_ID_INVALID' } });
  const pending = await world.current.addPublicAccount('creating');
  expect(await ask(pending, '/notes')).toMatchObject({ status: 409, body: { code: 'ACCOUNT_NOT_ACTIVE' } });
});
