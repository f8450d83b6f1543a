import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCellAws, type CellAws, type CellAwsOptions } from '../../src/aws/cell-aws.ts';
import { findCaller } from '../../src/aws/sts.ts';
import { errorTable } from '../../src/contracts/errors.ts';
import { exampleCell } from '../support/platform.ts';

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0)) await close();
});

async function serve(answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function awsOf(endpointUrl: string, options: CellAwsOptions & { roleArn?: string } = {}): CellAws {
  const { roleArn, ...rest } = options;
  const cell = exampleCell(roleArn === undefined ? {} : { roleArn });
  const aws = createCellAws(cell, { endpointUrl, pacing: { factor: Infinity }, ...rest });
  closers.push(() => aws.destroy());
  return aws;
}

const keys = { accessKeyId: 'KEY', secretAccessKey: 'secret' };
const head = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'r-1' };
const found = (response: http.ServerResponse) => void response.writeHead(200, head).end('{"services":[]}');
const refuse = (response: http.ServerResponse, code: string, headers = {}) =>
  void response.writeHead(400, { ...head, ...headers }).end(JSON.stringify({ __type: code, message: 'no' }));
const keyOf = (request: http.IncomingMessage) => /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1];

/** No source of credentials but what the test names. */
function noCredentials(): void {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent/credentials');
}

describe('a clock that is wrong', () => {
  const codes = [
    'RequestTimeTooSkewed',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'RequestExpired',
    'AuthFailure',
  ];
  it.each(codes)(
    'ends in %s, which is tried again, and the second call of the client has the right time',
    async (code) => {
      const nowMs = () => Date.now() + 20 * 60_000;
      const url = await serve((request, response) => {
        const stamp = String(request.headers['x-amz-date']);
        const signedAtMs = Date.parse(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
        if (Math.abs(nowMs() - signedAtMs) < 5 * 60_000) found(response);
        else refuse(response, code, { date: new Date(nowMs()).toUTCString() });
      });
      const aws = awsOf(url, { credentials: keys });
      await expect(aws.ecs.findService('s')).rejects.toMatchObject({ code: 'CREDENTIALS_MISSING' });
      expect(errorTable.CREDENTIALS_MISSING.retryable).toBe(true);
      expect(await aws.ecs.findService('s')).toBeUndefined();
    },
  );
});

describe('credentials that AWS refuses', () => {
  it('are read anew from their file for the next call', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tenantry-credentials-'));
    closers.push(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'credentials');
    const write = (key: string) =>
      writeFileSync(file, `[default]\naws_access_key_id=${key}\naws_secret_access_key=s\n`);
    const url = await serve((request, response) =>
      keyOf(request) === 'NEW' ? found(response) : refuse(response, 'UnrecognizedClientException'),
    );
    noCredentials();
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    write('OLD');
    const aws = awsOf(url);
    await expect(aws.ecs.findService('s')).rejects.toMatchObject({ code: 'CREDENTIALS_MISSING' });
    write('NEW');
    expect(await aws.ecs.findService('s')).toBeUndefined();
  });

  it("are assumed anew where they are those of the cell's role", async () => {
    let assumed = 0;
    const url = await serve((request, response) => {
      if (request.headers['x-amz-target']) {
        if (keyOf(request) === 'ROLE2') found(response);
        else refuse(response, 'ExpiredTokenException');
        return;
      }
      assumed += 1;
      const credentials = `<AccessKeyId>ROLE${assumed}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`;
      const body = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
      response.writeHead(200, { 'content-type': 'text/xml' }).end(body);
    });
    const aws = awsOf(url, { credentials: keys, roleArn: 'arn:aws:iam::000000000000:role/cell' });
    await expect(aws.ecs.findService('s')).rejects.toMatchObject({ code: 'CREDENTIALS_MISSING' });
    expect(await aws.ecs.findService('s')).toBeUndefined();
  });

  it('are no reason to take a role that may not be assumed for an outage', async () => {
    const url = await serve((_, response) =>
      response
        .writeHead(403, { 'content-type': 'text/xml' })
        .end(
          `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>`,
        ),
    );
    const aws = awsOf(url, { credentials: keys, roleArn: 'arn:aws:iam::000000000000:role/cell' });
    await expect(aws.ecs.findService('s')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
  });
});

describe('a credential endpoint', () => {
  it.each([
    ['refuses', (response: http.ServerResponse) => void response.writeHead(500).end('no')],
    ['answers with a page', (response: http.ServerResponse) => void response.writeHead(200).end('<html></html>')],
  ])('that %s for some seconds costs a try, nothing more', async (_, fail) => {
    let isUp = false;
    const credentials = { AccessKeyId: 'TASK', SecretAccessKey: 's', Token: 't', Expiration: '2099-01-01T00:00:00Z' };
    const source = await serve((_request, response) =>
      isUp ? void response.end(JSON.stringify(credentials)) : fail(response),
    );
    const url = await serve((request, response) =>
      keyOf(request) === 'TASK' ? found(response) : refuse(response, 'UnrecognizedClientException'),
    );
    noCredentials();
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${source}/credentials`);
    const aws = awsOf(url);
    await expect(aws.ecs.deleteService('s')).rejects.toMatchObject({ code: 'CREDENTIALS_MISSING' });
    isUp = true;
    expect(await aws.ecs.findService('s')).toBeUndefined();
  });
});

describe('who the worker is', () => {
  const answer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn</Arn><UserId>u</UserId><Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
  const xml = { 'content-type': 'text/xml', 'x-amzn-requestid': 'r-1' };
  const failing = async (times: number, code: string) => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked += 1;
      const error = `<ErrorResponse><Error><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
      if (asked > times) response.writeHead(200, xml).end(answer);
      else response.writeHead(403, xml).end(error);
    });
    return { identity: awsOf(url, { credentials: keys }).identity, asked: () => asked };
  };

  it('is asked again after a failure that may pass, which is told once', async () => {
    const waits: string[] = [];
    const { identity, asked } = await failing(3, 'ExpiredToken');
    const patience = { forMs: 60_000, everyMs: 10, onWait: (reason: string) => void waits.push(reason) };
    expect(await findCaller(identity, patience)).toEqual({ accountId: '000000000000', arn: 'arn' });
    expect(asked()).toBe(4);
    expect(waits).toEqual([expect.stringContaining('ExpiredToken')]);
  });

  it('is not asked again after a refusal, nor for longer than said', async () => {
    const denied = await failing(99, 'AccessDenied');
    await expect(findCaller(denied.identity, { forMs: 60_000, everyMs: 10 })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
    });
    expect(denied.asked()).toBe(1);
    const expired = await failing(99, 'ExpiredToken');
    await expect(findCaller(expired.identity, { forMs: 5, everyMs: 10 })).rejects.toMatchObject({
      code: 'CREDENTIALS_MISSING',
    });
    expect(expired.asked()).toBe(1);
  });
});
