import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AccountsError } from '../../../src/accounts-router/index.ts';
import { hostileCalls, type HostileCall } from '../../support/hostile-calls.ts';
import { guarded, own, victim } from './fixture.ts';

it('whatever a call says, what is sent names rows of the account alone, and errors are the router’s own', () => {
  const seen = { sent: 0, refused: 0 };
  fc.assert(
    fc.property(hostileCalls({ own, victim }), (call) => {
      const sent = sentFor(call);
      seen[sent ? 'sent' : 'refused'] += 1;
      if (sent) expectOwnRows(sent);
      if (sent && call.method === 'query') expectOwnQuery(sent);
    }),
    { numRuns: 4_000 },
  );
  expect(seen.sent).toBeGreaterThan(300);
  expect(seen.refused).toBeGreaterThan(300);
});

type Sent = Readonly<Record<string, unknown>>;

function sentFor({ method, input }: HostileCall): Sent | undefined {
  try {
    const sent = guarded(method, input);
    return 'itemsOf' in sent ? { items: itemsOf(sent) } : { ...sent };
  } catch (error) {
    if (error instanceof AccountsError) return undefined;
    throw error;
  }
}

/** Of a transaction. */
function itemsOf(sent: object): unknown {
  return (sent as { itemsOf: (table: string) => unknown }).itemsOf('t');
}

/** Every key and every item in it, however deep. */
function expectOwnRows(sent: unknown): void {
  if (typeof sent !== 'object' || sent === null) return;
  for (const [name, inner] of Object.entries(sent)) {
    const rows =
      name === 'keys' ? (inner as unknown[]) : ['Key', 'Item', 'ExclusiveStartKey'].includes(name) ? [inner] : [];
    for (const row of rows as Record<string, unknown>[]) {
      expect(row['PK']).toBe(own);
      if (row['GSI1PK'] !== undefined) expect(row['GSI1PK']).toMatch(new RegExp(`^${own}#`));
    }
    if (name !== 'Item') expectOwnRows(inner);
  }
}

/** Judged by the text that is sent, not by the parser that made it. */
function expectOwnQuery(sent: Sent): void {
  const names = (sent['ExpressionAttributeNames'] ?? {}) as Record<string, string>;
  const values = (sent['ExpressionAttributeValues'] ?? {}) as Record<string, unknown>;
  const attribute = (name = '') => names[name] ?? name;
  const [partition = '', ...others] = String(sent['KeyConditionExpression']).split(' AND ');
  const [name, sign, value = ''] = partition.split(' ');
  const isIndex = sent['IndexName'] !== undefined;
  expect([attribute(name), sign]).toEqual([isIndex ? `${String(sent['IndexName'])}PK` : 'PK', '=']);
  expect(String(values[value]).split('#').slice(0, 2).join('#')).toBe(own);
  for (const other of others) expect(other).not.toMatch(/\bOR\b|PK/i);
  if (!isIndex) return;
  const filter = String(sent['FilterExpression']);
  const ours = '#tenantryOwner = :tenantryOwner';
  expect([attribute('#tenantryOwner'), values[':tenantryOwner']]).toEqual(['PK', own]);
  expect(filter === ours || filter.startsWith(`${ours} AND `)).toBe(true);
  expect(outermost(filter)).not.toMatch(/\bOR\b/i);
}

/** What stands outside all parentheses; they have to match. */
function outermost(text: string): string {
  let [depth, found] = [0, ''];
  for (const character of text) {
    if (character === '(') depth += 1;
    if (depth === 0) found += character;
    if (character === ')') depth -= 1;
    expect(depth).toBeGreaterThanOrEqual(0);
  }
  expect(depth).toBe(0);
  return found;
}
