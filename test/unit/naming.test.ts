import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { scramVerifier } from '../../src/db/scram.ts';
import {
  contentHash,
  hasTenantId,
  isOfTenantAlone,
  itemName,
  itemNameParts,
  markerOfTags,
  ownershipMarker,
  ownershipTags,
  parseOwnershipMarker,
  requestToken,
  schemaName,
  secretName,
  targetGroupName,
} from '../../src/naming.ts';

const installationId = '11111111-1111-4111-8111-111111111111';
const tenantId = '22222222-2222-4222-8222-222222222222';
const operationId = '33333333-3333-4333-8333-333333333333';

describe('names', () => {
  it('of schemas are 39 characters, without what must be quoted', () => {
    expect(schemaName(tenantId)).toMatch(/^tenant_[0-9a-f]{32}$/);
  });

  it('of target groups keep to what ELBv2 allows, and differ by installation, tenant and component', () => {
    const names = [
      targetGroupName(installationId, tenantId, 'backend'),
      targetGroupName(installationId, tenantId, 'frontend'),
      targetGroupName(tenantId, tenantId, 'backend'),
      targetGroupName(installationId, operationId, 'backend'),
    ];
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^t-[0-9a-f]{10}-(be|fe)$/);
  });

  it('of secrets hold no colon', () => {
    expect(secretName(installationId, tenantId, 'a:b')).toBe(`tenantry/${installationId}/${tenantId}/a/b`);
  });
});

describe('the id of a tenant in a text', () => {
  it.each([
    [`/accounts/${tenantId}/`, true, true],
    [`app-prod-account-${tenantId}`, true, true],
    [`ACCOUNT#${tenantId}`, true, true],
    [`${tenantId}/${tenantId}`, true, true],
    [`/accounts/${operationId}/`, true, false],
    [`/accounts/${operationId}/${tenantId}`, true, false],
    [`x${tenantId}`, false, false],
    [`${tenantId}0`, false, false],
    ['/accounts/acme/', false, false],
  ])('%s', (text, has, isOwn) => {
    expect(hasTenantId(text)).toBe(has);
    expect(isOfTenantAlone(text, tenantId)).toBe(isOwn);
  });
});

describe('the name of an item', () => {
  it.each([
    ['table', 'a', undefined],
    ['table', 'a/b', 'c'],
    ['table', 'a', 'b/c'],
    ['table', '%2F', '%252F/%'],
  ] as const)('is read as it was written: %s %s %s', (table, partition, sort) => {
    expect(itemNameParts(itemName(table, partition, sort))).toEqual({ table, partition, sort });
  });

  it('is another one for each other key', () => {
    const names = [itemName('t', 'a/b', 'c'), itemName('t', 'a', 'b/c'), itemName('t', 'a'), itemName('t', 'a', '')];
    expect(new Set(names).size).toBe(4);
  });
});

describe('a request token', () => {
  it('is the same for the same call, another for each other one, and 32 characters long', () => {
    const tokens = [
      requestToken(operationId, 'step', 1),
      requestToken(operationId, 'step', 2),
      requestToken(operationId, 'step', 1, 'part'),
      requestToken(operationId, 'step:1', 1),
      requestToken(tenantId, 'step', 1),
    ];
    expect(requestToken(operationId, 'step', 1)).toBe(tokens[0]);
    expect(new Set(tokens).size).toBe(tokens.length);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('an ownership marker', () => {
  it('is read as it was written, step ids with colons too', () => {
    const ownership = { installationId, tenantId, product: 'moamalat', operationId, stepId: 'create_dns:a:b' };
    expect(parseOwnershipMarker(ownershipMarker(ownership))).toEqual(ownership);
    expect(markerOfTags(ownershipTags(ownership))).toBe(ownershipMarker(ownership));
  });

  it('is not seen in other texts', () => {
    for (const text of [
      '',
      'tenantry',
      `tenantry:${tenantId}`,
      'a comment',
      `x tenantry:${installationId}:${tenantId}:p:${operationId}:s`,
    ])
      expect(parseOwnershipMarker(text)).toBeUndefined();
  });
});

describe('a content hash', () => {
  it('does not depend on the order of keys, but on that of lists and on every value', () => {
    expect(contentHash({ a: 1, b: { c: 2, d: 3 } })).toBe(contentHash({ b: { d: 3, c: 2 }, a: 1 }));
    expect(contentHash([1, 2])).not.toBe(contentHash([2, 1]));
    expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: '1' }));
  });
});

describe('a SCRAM verifier', () => {
  it('holds what RFC 5803 says, by its salt', () => {
    const salt = Buffer.from('0123456789abcdef');
    const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256');
    const stored = createHash('sha256')
      .update(createHmac('sha256', salted).update('Client Key').digest())
      .digest('base64');
    expect(scramVerifier('pencil', salt)).toMatch(
      /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/,
    );
    expect(scramVerifier('pencil', salt)).toContain(`$${stored}:`);
    expect(scramVerifier('pencil')).not.toBe(scramVerifier('pencil'));
    expect(() => scramVerifier('pässword')).toThrow(RangeError);
  });
});
