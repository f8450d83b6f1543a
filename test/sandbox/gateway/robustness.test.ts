import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ListServicesCommand } from '@aws-sdk/client-ecs';
import { DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ListHostedZonesCommand } from '@aws-sdk/client-route-53';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from '../../../sandbox/gateway/gateway.ts';
import { errorOf, makePlatform, makeService, newAccount, until, untilRollout } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Sends bytes as they are and resolves with what comes back. */
function raw(gateway: Gateway, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.end(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('utf8')));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('with its upstream down, the gateway', () => {
  it('answers 503 in the shape of each protocol', async () => {
    const gateway = await startGateway({ upstreamUrl: 'http://127.0.0.1:9' });
    closing.push(() => gateway.close());
    const { ecs, elb, route53 } = newAccount(gateway);
    const calls = [
      () => ecs.send(new ListServicesCommand({ cluster: 'x' })),
      () => elb.send(new DescribeTargetGroupsCommand({})),
      () => route53.send(new ListHostedZonesCommand({})),
    ];
    for (const call of calls) {
      const error = await errorOf(call());
      expect(error).toMatchObject({ $metadata: { httpStatusCode: 503 } });
      expect(error.message).toContain('could not be reached');
    }
    expect((await fetch(new URL('/_gateway/health', gateway.url))).status).toBe(200);
  });
});

describe('a malformed request', () => {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0';

  it.each([
    ['no JSON', 'CreateService', '{"cluster":', 'SerializationException'],
    ['a wrong type', 'CreateService', '{"serviceName":5,"taskDefinition":"x"}', 'InvalidParameterException'],
    ['a list', 'DescribeTasks', '[]', 'InvalidParameterException'],
  ])('of %s gets an AWS error', async (_what, action, body, code) => {
    const answer = await fetch(shared.gateway.url, {
      method: 'POST',
      headers: { authorization, 'x-amz-target': `AmazonEC2ContainerServiceV20141113.${action}` },
      body,
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: code });
  });

  it('never ends the gateway', async () => {
    await raw(shared.gateway, 'nonsense\r\n\r\n');
    await raw(shared.gateway, 'POST // HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    await raw(
      shared.gateway,
      `POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: 99\r\n\r\n{`,
    );
    await fetch(new URL('/__proto__/constructor', shared.gateway.url), { headers: { authorization } });
    const surprising = authorization.replace('/ecs/', '/constructor/');
    await fetch(shared.gateway.url, {
      method: 'POST',
      headers: { authorization: surprising, 'x-amz-target': 'x.toString' },
    });
    const health = await fetch(new URL('/_gateway/health', shared.gateway.url));
    expect(await health.json()).toMatchObject({ gateway: true });
  });

  it('to the control surface is refused', async () => {
    const time = (body: string) => fetch(new URL('/_gateway/time', shared.gateway.url), { method: 'POST', body });
    expect((await time('{"preset":"never"}')).status).toBe(400);
    expect((await time('nonsense')).status).toBe(400);
    expect((await fetch(new URL('/_gateway/else', shared.gateway.url))).status).toBe(404);
    const changed = await time('{"preset":"fast"}');
    expect(await changed.json()).toMatchObject({ taskStartMs: 40 });
  });
});

describe('task hosts', () => {
  it.each(['shared', 'process-per-task'] as const)(
    '(%s) end with the gateway that closes, and so do their listeners',
    async (taskHost) => {
      const gateway = await startGateway({ upstreamUrl: shared.upstreamUrl, taskHost });
      let isOpen = true;
      closing.push(() => (isOpen ? gateway.close() : Promise.resolve()));
      const account = newAccount(gateway);
      const { listenerArn } = await makePlatform(account);
      await makeService(account, listenerArn, { name: 'hosted', service: { desiredCount: 2 } });
      await untilRollout(account, 'hosted', 'COMPLETED');
      const pids = gateway.taskHostPids();
      expect(pids).toHaveLength(taskHost === 'shared' ? 1 : 2);
      isOpen = false;
      await gateway.close();
      expect(pids.filter(isAlive)).toEqual([]);
    },
  );

  it('that are killed take their tasks along, which are replaced', async () => {
    const gateway = await startGateway({ upstreamUrl: shared.upstreamUrl });
    closing.push(() => gateway.close());
    const account = newAccount(gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'killed' });
    await untilRollout(account, 'killed', 'COMPLETED');
    const [pid] = gateway.taskHostPids();
    process.kill(pid!, 'SIGKILL');
    await until('another host', async () => gateway.taskHostPids().some((p) => p !== pid));
    await until('a listener', async () => (await gateway.inventory()).some((i) => i.kind === 'local:task-listener'));
  });

  it('end with a gateway program that is killed', async () => {
    const program = startProgram(shared.upstreamUrl);
    closing.push(() => ended(program.child));
    const url = await program.url;
    const account = newAccount({ url });
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'orphan' });
    await untilRollout(account, 'orphan', 'COMPLETED');
    const answer = await fetch(new URL('/_gateway/health', url));
    const { taskHostPids } = (await answer.json()) as { taskHostPids: number[] };
    expect(taskHostPids.filter(isAlive)).toHaveLength(1);
    program.child.kill('SIGKILL');
    await until('the host to end', async () => taskHostPids.filter(isAlive).length === 0);
  });
});

describe('the program', () => {
  it('ends cleanly on an interrupt', async () => {
    const { child, url } = startProgram(shared.upstreamUrl);
    closing.push(() => ended(child));
    await url;
    const exit = once(child, 'exit');
    child.kill('SIGINT');
    expect(await exit).toEqual([0, null]);
    const probe = http.get(await url);
    await expect(once(probe, 'response')).rejects.toThrow('ECONNREFUSED');
  });
});

function startProgram(upstreamUrl: string): { child: ChildProcess; url: Promise<string> } {
  const main = fileURLToPath(new URL('../../../sandbox/gateway/main.ts', import.meta.url));
  const args = ['--import', 'tsx', main, '--upstream', upstreamUrl, '--time', 'fast'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^AWS_ENDPOINT_URL=(.*)$/.exec(line)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the gateway program ended with ${String(code)}`)));
  });
  return { child, url };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
