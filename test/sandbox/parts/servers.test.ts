import { createServer } from 'node:net';
import { once } from 'node:events';
import { Client, Connection } from '@temporalio/client';
import { expect, it, describe } from 'vitest';
import { startChild } from '../../../sandbox/parts/child.ts';
import { firstThatWorks } from '../../../sandbox/parts/attempts.ts';
import { answers, freePort, holdPort } from '../../../sandbox/parts/ports.ts';
import { createTestDatabase } from '../../support/database.ts';
import { freshAccountId, part } from '../../support/parts.ts';
import { searchAttributes } from '../../../src/contracts/ids.ts';

describe('freePort', () => {
  it('gives the preferred port once, then others, and none that is taken', async () => {
    const taken = createServer().listen({ host: '127.0.0.1', port: 0 });
    await once(taken, 'listening');
    const address = taken.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    expect(await freePort(address.port)).not.toBe(address.port);
    taken.close();
    await once(taken, 'close');
    expect(await freePort(address.port)).toBe(address.port);
    expect(await freePort(address.port)).not.toBe(address.port);
  });
});

describe('holdPort', () => {
  it('keeps the port from others until it is released', async () => {
    const held = await holdPort(await freePort());
    const take = () => once(createServer().listen({ host: '127.0.0.1', port: held.port }), 'listening');
    await expect(take()).rejects.toThrow('EADDRINUSE');
    await held.release();
    await held.release();
    expect(await answers(held.port)).toBe(false);
  });
});

describe('startChild', () => {
  it('says what could not be started', async () => {
    const start = startChild({ name: 'the thing', command: 'no-such-command', args: [] });
    await expect(start).rejects.toThrow('could not start the thing (no-such-command)');
  });

  it('kills what does not stop in time, with all that it started', async () => {
    const child = await startChild({
      name: 'stubborn',
      command: 'sh',
      args: ['-c', 'trap "" TERM; sh -c "trap \\"\\" TERM; while :; do sleep 1; done" & echo up; wait; sleep 60'],
      stopTimeoutMs: 300,
    });
    await expect.poll(() => child.output()).toContain('up');
    await child.stop();
    expect((await child.exited).signal).toBe('SIGKILL');
    await expect.poll(() => groupExists(child.pid), { timeout: 20_000 }).toBe(false);
  });
});

describe('firstThatWorks', () => {
  it('names every attempt with its reason, and the advice', async () => {
    const attempts = [
      { name: 'the cache', run: async () => undefined },
      { name: 'download', run: () => Promise.reject(new Error('no network')) },
    ];
    const message = 'no thing could be had:\n- the cache: not there\n- download: no network\nBuy one.';
    await expect(firstThatWorks('thing', attempts, 'Buy one.', () => undefined)).rejects.toThrow(message);
  });
});

describe('shared parts', () => {
  it('serve Temporal with the search attributes registered', async () => {
    const { address, namespace } = await part('temporal');
    const connection = await Connection.connect({ address });
    try {
      const { customAttributes } = await new Client({ connection }).connection.operatorService.listSearchAttributes({
        namespace,
      });
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining([...searchAttributes]));
    } finally {
      await connection.close();
    }
  });

  it('serve MiniStack on loopback', async () => {
    const { url } = await part('ministack');
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect((await fetch(`${url}/_ministack/health`)).status).toBe(200);
    expect(await answers(Number(new URL(url).port))).toBe(true);
    expect(freshAccountId()).toMatch(/^[1-9]\d{11}$/);
  });

  it('give each test file databases of its own', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    expect(one.controlUrl).not.toBe(two.controlUrl);
    await Promise.all([one.drop(), two.drop()]);
  });
});

function groupExists(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}
