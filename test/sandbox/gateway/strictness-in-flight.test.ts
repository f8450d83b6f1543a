import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChangeResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway } from '../../../sandbox/gateway/gateway.ts';
import { errorOf, newAccount, registerDefinition, until } from './sandbox-aws.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A gateway before an upstream that answers nothing until told to, and then that it knows nothing. */
async function startHeld() {
  const held: { readonly what: string; readonly response: http.ServerResponse }[] = [];
  let isOpen = false;
  const refuse = (response: http.ServerResponse) => response.writeHead(404).end('{"__type":"ClientException"}');
  const server = http.createServer((request, response) => {
    request.resume();
    if (isOpen) refuse(response);
    else held.push({ what: `${String(request.headers['x-amz-target'])} ${request.url ?? ''}`, response });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gateway = await startGateway({ upstreamUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  closing.push(
    async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    () => gateway.close(),
  );
  const release = () => {
    isOpen = true;
    for (const { response } of held.splice(0)) refuse(response);
  };
  /** Waits until so many calls are held whose target or path contains the text. */
  const untilHeld = (count: number, text: string) =>
    until(`${count} of ${text}`, () => Promise.resolve(held.filter((h) => h.what.includes(text)).length === count));
  return { gateway, release, untilHeld, account: newAccount(gateway) };
}

describe('while a call is in flight', () => {
  it('no other revision of its family is made', async () => {
    const { gateway, release, untilHeld, account } = await startHeld();
    const first = errorOf(registerDefinition(account, 'same'));
    await untilHeld(1, 'RegisterTaskDefinition');
    expect(await errorOf(registerDefinition(account, 'same'))).toMatchObject({
      name: 'ClientException',
      message: 'Too many concurrent attempts to create a new revision of the specified family.',
    });
    const other = errorOf(registerDefinition(account, 'other'));
    const elsewhere = errorOf(registerDefinition(newAccount(gateway), 'same'));
    await untilHeld(3, 'RegisterTaskDefinition');
    release();
    const again = errorOf(registerDefinition(account, 'same'));
    for (const call of [first, other, elsewhere, again]) expect((await call).message).not.toContain('concurrent');
  });

  it('no other batch of its zone is taken', async () => {
    const { release, untilHeld, account } = await startHeld();
    const change = (HostedZoneId: string) =>
      errorOf(
        account.route53.send(
          new ChangeResourceRecordSetsCommand({
            HostedZoneId,
            ChangeBatch: {
              Changes: [
                {
                  Action: 'CREATE',
                  ResourceRecordSet: { Name: 'a.b', Type: 'A', TTL: 1, ResourceRecords: [{ Value: '10.0.0.1' }] },
                },
              ],
            },
          }),
        ),
      );
    const first = change('Z1');
    await untilHeld(1, '/hostedzone/Z1');
    expect(await change('Z1')).toMatchObject({
      name: 'PriorRequestNotComplete',
      message: 'The request was rejected because Route 53 was still processing a prior request.',
    });
    const other = change('Z2');
    await untilHeld(1, '/hostedzone/Z2');
    release();
    for (const call of [first, other]) expect((await call).name).not.toBe('PriorRequestNotComplete');
    expect((await change('Z1')).name).not.toBe('PriorRequestNotComplete');
  });
});
