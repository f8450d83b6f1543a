import { builtInKinds } from '../../../src/kinds/built-in.ts';
import type { Kind } from '../../../src/kinds/framework/kind.ts';
import { describe, expect, it } from 'vitest';
import { lostOf, refuseLost, type NotOurs } from '../../../src/kinds/framework/ownership.ts';
import { ownershipTags } from '../../../src/naming.ts';

const type = 'ecs:service';
const name = 'moamalat-acme-backend';
const physicalId = 'arn:aws:ecs:eu-central-1:123456789012:service/shared/moamalat-acme-backend';
const madeAt = new Date('2026-03-01T12:00:00Z');
const made = { type, name, physicalId, earlierIds: [], madeAt };
const seen: NotOurs = { type, name, physicalId, mark: 'it carries no mark' };
const after = (minutes: number) => new Date(madeAt.getTime() + minutes * 60_000);

const types = Object.assign({}, ...builtInKinds.map((kind) => kind.types)) as Kind['types'];

describe('what is found without its mark', () => {
  it('is ours, and lost, when the ledger holds it as made', () => {
    expect(lostOf([seen], [made])).toEqual([seen]);
    expect(lostOf([{ ...seen, createdAt: after(-1) }], [made])).toHaveLength(1);
  });

  it('is ours in doubt: no physical id, no time of creation, or clocks that differ', () => {
    expect(lostOf([seen], [{ ...made, physicalId: null }])).toHaveLength(1);
    expect(lostOf([{ ...seen, createdAt: after(4) }], [made])).toHaveLength(1);
  });

  it('is ours when it is one that was made of the name before the last one', () => {
    const later = { ...made, physicalId: `${physicalId}-2`, earlierIds: [physicalId] };
    expect(lostOf([seen], [later])).toEqual([seen]);
    expect(lostOf([{ ...seen, physicalId: 'another' }], [later])).toEqual([]);
  });

  it('is another one when its physical id differs or it was created later', () => {
    expect(lostOf([{ ...seen, physicalId: 'another' }], [made])).toEqual([]);
    expect(lostOf([{ ...seen, createdAt: after(6) }], [made])).toEqual([]);
  });

  it('is not ours where nothing of its type and name was made', () => {
    expect(lostOf([seen], [])).toEqual([]);
    expect(lostOf([seen], [{ ...made, type: 'logs:log-group' }])).toEqual([]);
    expect(lostOf([seen], [{ ...made, name: 'moamalat-acme-frontend' }])).toEqual([]);
  });

  it.each([
    [type, 'the tag tenantry:tenant-id=t1'],
    ['route53:record', 'the TXT record _tenantry.moamalat-acme-backend with the one value "tenantry:i1:t1:'],
    ['postgres:role', "the comment 'tenantry:i1:t1:"],
  ])('is named with how its mark is written: %s', (of, mark) => {
    const ownership = { installationId: 'i1', tenantId: 't1', product: 'moamalat', operationId: 'o1', stepId: 's1' };
    const step = { stepId: 's1', isRemoving: true, tags: ownershipTags(ownership), types };
    expect(() => refuseLost([{ ...seen, type: of }], step)).toThrow(
      expect.objectContaining({ code: 'STILL_PRESENT', detail: expect.stringContaining(mark) as string }) as Error,
    );
  });
});
