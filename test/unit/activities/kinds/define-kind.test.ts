import { describe, expect, it } from 'vitest';
import { StepError } from '../../../../src/contracts/step-error.ts';
import { defineKind, type Found, type KindErrors } from '../../../../src/kinds/framework/define-kind.ts';
import type { StepContext } from '../../../../src/kinds/framework/kind.ts';
import { OthersJudged } from '../../../../src/kinds/framework/ownership.ts';
import { z } from 'zod';

/** As a client of the cell fails. */
const failure = (name: string) =>
  new StepError('INVALID_REQUEST', `sqs:Call failed: ${name}`, { cause: Object.assign(new Error(name), { name }) });

const errors: KindErrors = { retryable: ['QueueDeletedRecently'], missing: ['QueueDoesNotExist'] };

function queue(calls: {
  find?: () => Promise<Found | undefined>;
  create?: () => Promise<Found>;
  remove?: () => Promise<void>;
}) {
  return defineKind({
    name: 'queue',
    type: 'sqs:queue',
    noun: 'queue',
    spec: z.strictObject({}),
    outputs: z.strictObject({}),
    swept: {
      named: 'slug',
      list: () => ({ list: async () => [], find: async () => undefined }),
      takeAway: async () => '',
    },
    errors,
    permissions: [],
    inCell: () => [],
    namedBy: () => 'q',
    nameOf: () => 'q',
    find: calls.find ?? (async () => undefined),
    create: calls.create ?? (async () => ({ physicalId: 'q', tags: {} })),
    outputsOf: () => ({}),
    remove: calls.remove ?? (async () => undefined),
    idIn: () => 'q',
  });
}

// What the framework asks of the context of a kind that looks at none of it itself.
const tags = { 'tenantry:installation': 'i', 'tenantry:tenant-id': 't' };
const context = {
  tags,
  previous: {},
  notOurs: (found: readonly []) => Promise.resolve(new OthersJudged(found)),
} as unknown as StepContext<Record<string, never>, Record<string, never>>;

describe('errors of a service that a kind declares', () => {
  it('as missing mean that there is nothing to find, and that a removal is done', async () => {
    const gone = () => Promise.reject(failure('QueueDoesNotExist'));
    expect(await queue({ find: gone }).observe(context)).toMatchObject({ status: 'absent' });
    expect(await queue({ find: gone }).ensure(context)).toMatchObject({ status: 'ready' });
    const looks = [async () => ({ physicalId: 'q', tags }), gone];
    const find = async () => looks.shift()?.();
    expect(await queue({ find, remove: gone }).remove(context)).toMatchObject({ status: 'removed' });
  });

  it('as retryable are tried again', async () => {
    const create = () => Promise.reject(failure('QueueDeletedRecently'));
    await expect(queue({ create }).ensure(context)).rejects.toMatchObject({ code: 'CONFLICT_RETRYABLE' });
  });

  it('and no others keep the code that the house gives them', async () => {
    const denied = () => Promise.reject(failure('OverLimit'));
    await expect(queue({ find: denied }).observe(context)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(queue({ create: denied }).ensure(context)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('a removal', () => {
  const listed = async () => ({ physicalId: 'q', tags });

  it('that takes nothing away is not believed', async () => {
    expect(await queue({ find: listed }).remove(context)).toMatchObject({ status: 'pending' });
  });

  it('is done when another thing of the name is there, or somebody else’s', async () => {
    for (const after of [
      { physicalId: 'another', tags },
      { physicalId: 'q', tags: {} },
    ]) {
      const looks = [listed, async () => after];
      const find = async () => (await looks.shift()?.()) as Found;
      expect(await queue({ find }).remove(context)).toMatchObject({ status: 'removed' });
    }
  });
});

it('a definition that lacks fields is refused, with all of them', () => {
  const given = { name: 'half', type: 'sqs:queue', swept: null } as unknown as Parameters<typeof defineKind>[0];
  expect(() => defineKind(given)).toThrow(
    'kind "half" lacks noun (string), spec (object), outputs (object), swept (object), inCell (function), namedBy (function), ' +
      'nameOf (function), find (function), create (function), outputsOf (function), idIn (function), remove (function), permissions (list)',
  );
});

it('a definition with a misspelled field is refused', () => {
  const given = { name: 'half', error: {} } as unknown as Parameters<typeof defineKind>[0];
  expect(() => defineKind(given)).toThrow(/; there is no field "error" \(there are: name, type, .*, errors, /);
});
