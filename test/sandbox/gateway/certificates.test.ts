import {
  AddListenerCertificatesCommand,
  CreateListenerCommand,
  DescribeListenerCertificatesCommand,
  ModifyListenerCommand,
  RemoveListenerCertificatesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { describe, expect, it } from 'vitest';
import { covers } from '../../../sandbox/gateway/elb/listener-certificates.ts';
import { errorOf, makeCertificate, makePlatform, newAccount, request } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

describe('an HTTPS listener', () => {
  it('shows its own certificate, and a host that it does not cover is refused by TLS', async () => {
    const { listenerArn } = await makePlatform(newAccount(shared.gateway));
    const ask = (host: string) => request(shared.gateway, listenerArn, host);
    expect((await ask('acme.moamalat-pro.com')).status).toBe(404);
    for (const host of ['acme.notes.moamalat-pro.com', 'moamalat-pro.com', 'acme.example.com']) {
      expect(await errorOf(ask(host))).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    }
  });

  it('chooses among certificates that were added to it by the name that is asked for', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const ask = (host: string) => request(shared.gateway, listenerArn, host);
    const notes = await makeCertificate(account, 'notes.example.com', '*.notes.example.com');
    const change = { ListenerArn: listenerArn, Certificates: [{ CertificateArn: notes }] };
    await account.elb.send(new AddListenerCertificatesCommand(change));
    for (const host of ['notes.example.com', 'acme.notes.example.com', 'acme.moamalat-pro.com'])
      expect((await ask(host)).status).toBe(404);
    const listed = await account.elb.send(new DescribeListenerCertificatesCommand({ ListenerArn: listenerArn }));
    expect(listed.Certificates).toEqual([
      { CertificateArn: expect.any(String) as string, IsDefault: true },
      { CertificateArn: notes, IsDefault: false },
    ]);
    await account.elb.send(new RemoveListenerCertificatesCommand(change));
    expect(await errorOf(ask('acme.notes.example.com'))).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('shows another default certificate once it is given one', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const CertificateArn = await makeCertificate(account, '*.example.com');
    await account.elb.send(new ModifyListenerCommand({ ListenerArn: listenerArn, Certificates: [{ CertificateArn }] }));
    expect((await request(shared.gateway, listenerArn, 'acme.example.com')).status).toBe(404);
    const error = await errorOf(request(shared.gateway, listenerArn, 'acme.moamalat-pro.com'));
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('is refused without a certificate, and with one that does not exist', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn, loadBalancerArn } = await makePlatform(account);
    const listener = {
      ...{ LoadBalancerArn: loadBalancerArn, Port: 8443, Protocol: 'HTTPS' as const },
      DefaultActions: [{ Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '404' } }],
    };
    const bare = await errorOf(account.elb.send(new CreateListenerCommand(listener)));
    expect(bare).toMatchObject({ name: 'ValidationError', message: expect.stringMatching(/certificate/) as string });
    const unknown = `arn:aws:acm:us-east-1:${account.accountId}:certificate/00000000-0000-4000-8000-000000000000`;
    const Certificates = [{ CertificateArn: unknown }];
    const calls = [
      account.elb.send(new CreateListenerCommand({ ...listener, Certificates })),
      account.elb.send(new ModifyListenerCommand({ ListenerArn: listenerArn, Certificates })),
      account.elb.send(new AddListenerCertificatesCommand({ ListenerArn: listenerArn, Certificates })),
    ];
    // Together: one that fails while another is waited for would be a rejection that nobody handles.
    const errors = await Promise.all(calls.map(errorOf));
    expect(errors.map(({ name }) => name)).toEqual(calls.map(() => 'CertificateNotFoundException'));
  });
});

describe('a certificate', () => {
  it.each([
    [['*.example.com'], 'acme.example.com', true],
    [['*.example.com'], 'ACME.Example.com', true],
    [['*.example.com'], 'example.com', false],
    [['*.example.com'], 'acme.notes.example.com', false],
    [['example.com'], 'example.com', true],
    [['example.com', '*.notes.example.com'], 'acme.notes.example.com', true],
    [[], 'example.com', false],
  ])('for %j covers %s: %s', (names, host, expected) => {
    expect(covers(names, host)).toBe(expected);
  });
});
