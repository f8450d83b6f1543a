import { describe, expect, it } from 'vitest';
import {
  countOf,
  formatCountNote,
  noteBefore,
  parseCountNote,
  type CountFacts,
} from '../../../../src/kinds/ecs-service/count.ts';

/** An update from 1 to 6, of a service that somebody scaled to 4. */
const update: CountFacts = {
  ...{ found: 4, wanted: 6, other: 1, note: undefined },
  ...{ operationId: 'op-2', goesBack: false },
};
const undo = { ...update, wanted: 1, other: 6, goesBack: true };
const ownNote = { count: 4, operationId: 'op-2' };
const earlierNote = { count: 9, operationId: 'op-1' };

describe('the note of a count', () => {
  it.each([ownNote, { count: 12, operationId: undefined }])('%j reads as it was written', (note) => {
    expect(parseCountNote(formatCountNote(note))).toEqual(note);
  });

  it.each([undefined, '', '0', 'many', '4 op-1 more'])('%j is none', (text) => {
    expect(parseCountNote(text)).toBeUndefined();
  });

  it('is made before a count is changed, in the place of an earlier operation, and once', () => {
    expect(noteBefore(update)).toEqual(ownNote);
    expect(noteBefore({ ...update, note: earlierNote })).toEqual(ownNote);
    expect(noteBefore({ ...update, found: 6, note: ownNote })).toBeUndefined();
    expect(noteBefore({ ...update, other: 6 })).toBeUndefined();
    expect(noteBefore({ ...undo, found: 6 })).toBeUndefined();
  });

  it('of a suspension stays while its tenant is resumed', () => {
    expect(noteBefore({ ...update, wanted: 0, found: 0, note: earlierNote })).toEqual({
      count: 1,
      operationId: 'op-2',
    });
    expect(noteBefore({ ...update, wanted: 1, other: 0, found: 2, note: ownNote })).toBeUndefined();
  });
});

describe('the count that a service is to have', () => {
  it.each<[string, CountFacts, number]>([
    ['of its spec without another side', { ...update, other: undefined }, 6],
    ['of its spec where an update changes it', update, 6],
    ['that it has where an update changes it not', { ...update, other: 6 }, 4],
    ['of its spec where none runs', { ...update, other: 6, found: 0 }, 6],
    ['that it had before the update, on the way back', { ...undo, found: 6, note: ownNote }, 4],
    ['that it has where the update did not come to change it', { ...undo, found: 4, note: earlierNote }, 4],
    ['of the applied spec where what was asked for stands and no note is seen', { ...undo, found: 6 }, 1],
    ['none, of a suspension', { ...update, wanted: 0 }, 0],
    ['that it had before its suspension, of a resumption', { ...update, found: 0, other: 0, note: earlierNote }, 9],
    ['that it had, where a suspension is taken back', { ...undo, found: 0, other: 0, note: ownNote }, 4],
    ['that it has, where that suspension did not come to it', { ...undo, other: 0, note: earlierNote }, 4],
    ['of a note of an earlier version', { ...undo, found: 0, other: 0, note: { count: 3, operationId: undefined } }, 3],
    ['none, where a resumption is taken back', { ...undo, wanted: 0, note: earlierNote }, 0],
  ])('is the one %s', (_, facts, count) => {
    expect(countOf(facts)).toBe(count);
  });
});
