import { describe, expect, it } from 'vitest';
import { logGroup } from '../../../src/kinds/log-group/kind.ts';
import type { CallBook } from '../../../testing/call-book.ts';
import { expectedOf } from '../../../testing/faults/expected.ts';
import { changeFaults, faultCases, readFaults, type FaultCase } from '../../../testing/faults/faults.ts';
import { isThing } from '../../../testing/oracle.ts';
import { listOwn } from '../../../testing/own-listers.ts';
import { assertPermissions } from '../../../testing/permissions.ts';

describe('a thing of the inventory is that of the ledger', () => {
  const row = { type: 'sns:topic', name: 'shop-acme-events' };
  it.each([
    ['by its name alone', 'shop-acme-events', true],
    ['by an ARN that ends in it after a colon', 'arn:aws:sns:us-east-1:123456789012:shop-acme-events', true],
    ['by an ARN that ends in it after a slash', 'arn:aws:x:us-east-1:123456789012:topic/shop-acme-events', true],
    ['and another, whose name ends alike, is not', 'arn:aws:sns:us-east-1:123456789012:big-shop-acme-events', false],
  ])('%s', (_, name, is) => {
    expect(isThing(row, { kind: 'sns:topic', id: 'another', name })).toBe(is);
  });
});

it('names the lister that threw, and why', async () => {
  const at = {
    endpointUrl: 'http://x',
    region: 'r',
    accountId: '1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  };
  const gone = Object.assign(new Error('no such topic'), { name: 'NotFoundException' });
  const listers = { 'sqs:queue': () => Promise.resolve([]), 'sns:topic': () => Promise.reject(gone) };
  await expect(listOwn(listers, at)).rejects.toThrow(
    'the lister of sns:topic threw NotFoundException: no such topic; a thing that is gone since it was listed must be left out',
  );
});

it('says how to tell of an action that AWS demands beside a call', () => {
  const calls = ['sns:CreateTopic', 'sns:DeleteTopic', 'sns:GetTopicAttributes'];
  const book = { actionsOf: () => calls } as Partial<CallBook> as CallBook;
  const kind = { ...logGroup, name: 'sns-topic', permissions: [...calls, 'sns:TagResource'] };
  expect(() => assertPermissions(kind, book)).toThrow("demandedBeside: { 'sns:CreateTopic': ['sns:TagResource'] }");
  expect(() => assertPermissions(kind, book, { more: { 'sns:CreateTopic': ['sns:TagResource'] } })).not.toThrow();
});

it('says of every fault what befell the call and what is expected', () => {
  const point = { phase: 'making', verb: 'ensure', service: 'sns', action: 'CreateTopic', nth: 1 } as const;
  const cases: FaultCase[] = faultCases([
    { ...point, kind: 'change' },
    { ...point, kind: 'read', action: 'GetTopic' },
    { ...point, kind: 'change', phase: 'removing' },
  ]);
  expect(new Set(cases.map(({ fault }) => fault))).toEqual(new Set([...changeFaults, ...readFaults]));
  for (const of of cases) expect(expectedOf(of)).toMatch(/^the (?:call|read|connection) .+; expected: .+/);
  expect(expectedOf({ point: { ...point, kind: 'change' }, fault: 'unseen', ending: 'goes on' })).toBe(
    'the call succeeded, and reads did not show its effect for 4.5 s; expected: a later attempt makes the same as without the fault, once, and its removal leaves nothing',
  );
});
