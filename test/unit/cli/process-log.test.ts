import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { processLog } from '../../../src/cli/process-log.ts';
import { sdkLogger } from '../../../src/worker/serve.ts';

const lines: Record<string, unknown>[] = [];
const log = processLog('debug', {
  write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
});
const last = () => lines.at(-1);
const readable = (message: string) => ({
  type: 'TypeError',
  message,
  stack: expect.stringContaining('TypeError') as unknown,
});

it('writes what the SDK of Temporal tells of an error, with its causes', () => {
  const error = new TypeError('no such key', { cause: new Error('the codec threw') });
  sdkLogger(log).error('Failed to process activation', { error, taskQueue: 'tenantry' });
  expect(last()).toMatchObject({
    from: 'temporal',
    msg: 'Failed to process activation',
    taskQueue: 'tenantry',
    error: readable('no such key: the codec threw'),
  });
});

it('writes an error under any name and at any depth, also of another realm', () => {
  const foreign: unknown = runInNewContext('new TypeError("of a workflow")');
  const when = new Date(0);
  log.warn({ cause: new TypeError('a'), of: { reasons: [{ reason: foreign }], when }, err: new TypeError('b') }, 'c');
  expect(last()).toMatchObject({
    cause: readable('a'),
    of: { reasons: [{ reason: readable('of a workflow') }], when: when.toISOString() },
    err: readable('b'),
    msg: 'c',
  });
});

it('writes an error that is all there is to say, and one that holds itself', () => {
  const circular: Error & { self?: unknown } = new TypeError('round');
  circular.self = circular;
  circular.cause = circular;
  log.error(circular);
  expect(last()).toMatchObject({ err: { type: 'TypeError' }, msg: 'round' });
  log.error({ error: circular, list: { circular } }, 'still');
  expect(last()).toMatchObject({
    error: { type: 'TypeError' },
    list: { circular: { type: 'TypeError' } },
    msg: 'still',
  });
});
