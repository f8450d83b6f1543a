import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { StepError } from '../../src/contracts/step-error.ts';
import { inCallContext, type CallContext } from '../../src/aws/call-context.ts';
import { createAwsForPlatform, createCellAws, type CellAws, type CellAwsOptions } from '../../src/aws/cell-aws.ts';
import { exampleCell, examplePlatform } from '../support/platform.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An endpoint that answers as told, and notes what it was asked. */
async function endpoint(answer: http.RequestListener): Promise<{ url: string; requests: http.IncomingMessage[] }> {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function awsOf(endpointUrl: string, options: Partial<CellAwsOptions> = {}): CellAws {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'test' };
  const aws = createCellAws(exampleCell(), { endpointUrl, credentials, pacing: { factor: Infinity }, ...options });
  closers.push(() => aws.destroy());
  return aws;
}

const context = (changes: Partial<CallContext> = {}): CallContext => ({
  beforeMutation: () => Promise.resolve(),
  signal: new AbortController().signal,
  ...changes,
});

const json = (response: http.ServerResponse, status: number, body: unknown) =>
  void response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'r-1' })
    .end(JSON.stringify(body));

describe('every call', () => {
  it('ends at its time-out: unclear after a change, unavailable after a read; asked once', async () => {
    const { url, requests } = await endpoint(() => undefined);
    const aws = awsOf(url, { requestTimeoutMs: 150 });
    await expect(aws.logs.setRetention('g', 30)).rejects.toMatchObject({ code: 'UNCLEAR' });
    await expect(aws.ecs.findService('s')).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(requests).toHaveLength(2);
  });

  it('prints nothing of its own on the terminal, however it ends', async () => {
    const printed = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level));
    const { url } = await endpoint((request) => request.socket.destroy());
    const { url: silentUrl } = await endpoint(() => undefined);
    const { url: pageUrl } = await endpoint((_, response) => void response.end('<html>'));
    for (const [at, words] of [
      [url, 'the connection was cut'],
      [silentUrl, 'no answer within 150 ms'],
      [pageUrl, "an answer that is not AWS's"],
    ] as const)
      await expect(awsOf(at, { requestTimeoutMs: 150 }).ecs.findService('s')).rejects.toThrow(words);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('is unclear when the connection is cut after a change', async () => {
    const { url, requests } = await endpoint((request) => request.socket.destroy());
    await expect(awsOf(url).logs.setRetention('g', 30)).rejects.toMatchObject({ code: 'UNCLEAR' });
    expect(requests).toHaveLength(1);
  });

  it('is not repeated by the SDK when AWS throttles', async () => {
    const { url, requests } = await endpoint((_, response) =>
      json(response, 400, { __type: 'ThrottlingException', message: 'Rate exceeded' }),
    );
    await expect(awsOf(url).ecs.findService('s')).rejects.toMatchObject({ code: 'THROTTLED' });
    expect(requests).toHaveLength(1);
  });

  it('names the call when AWS leaves out what it always sends', async () => {
    const { url } = await endpoint((_, response) => json(response, 200, { services: [{ serviceName: 's' }] }));
    await expect(awsOf(url).ecs.findService('s')).rejects.toMatchObject({
      message: expect.stringContaining('ecs:DescribeServices answered without service.') as string,
    });
  });

  it('that changes something first asks whether the step is being taken back; a read does not', async () => {
    const { url, requests } = await endpoint((_, response) => json(response, 200, { services: [] }));
    const aws = awsOf(url);
    const revoked = new StepError('STEP_REVOKED', 'taken back');
    const calls = context({ beforeMutation: () => Promise.reject(revoked) });
    await expect(inCallContext(calls, () => aws.ecs.deleteService('s'))).rejects.toBe(revoked);
    expect(requests).toHaveLength(0);
    expect(await inCallContext(calls, () => aws.ecs.findService('s'))).toBeUndefined();
  });

  it("ends with the activity's cancellation", async () => {
    const controller = new AbortController();
    const { url } = await endpoint(() => controller.abort(new Error('cancelled')));
    const aws = awsOf(url, { requestTimeoutMs: 60_000 });
    const startedAtMs = performance.now();
    const call = inCallContext(context({ signal: controller.signal }), () => aws.ecs.deleteService('s'));
    await expect(call).rejects.toMatchObject({ code: 'UNCLEAR' });
    expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  });

  it('is made with the role of the cell', async () => {
    const { url, requests } = await endpoint((request, response) => {
      if (request.headers['x-amz-target']) {
        json(response, 200, { services: [] });
        return;
      }
      const credentials = `<AccessKeyId>ASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>`;
      const body = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
      response.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r-1' }).end(body);
    });
    const cell = exampleCell({ roleArn: 'arn:aws:iam::000000000000:role/cell' });
    const credentials = { accessKeyId: 'WORKER', secretAccessKey: 'test' };
    const aws = createCellAws(cell, { endpointUrl: url, credentials });
    closers.push(() => aws.destroy());
    await aws.ecs.findService('s');
    const [assume, describeServices] = requests;
    expect(assume?.headers.authorization).toContain('Credential=WORKER/');
    expect(describeServices?.headers.authorization).toContain('Credential=ASSUMED/');
  });
});

describe('createAwsForPlatform', () => {
  it('makes the adapters of a cell once, and knows no other cell', () => {
    const aws = createAwsForPlatform(examplePlatform());
    closers.push(() => aws.destroy());
    expect(aws('default')).toBe(aws('default'));
    expect(() => aws('elsewhere')).toThrow(RangeError);
  });
});
