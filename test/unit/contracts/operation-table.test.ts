import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isAcceptable } from '../../../src/contracts/applicability.ts';
import { openOperationStates, operationStateTransitions } from '../../../src/contracts/operation-state.ts';
import {
  operationTable,
  operationTypeAskedBy,
  operationTypeOf,
  operationTypes,
} from '../../../src/contracts/operation-table.ts';
import { tenantStatuses, tenantStatusTransitions } from '../../../src/contracts/tenant-status.ts';
import * as workflows from '../../../src/workflows/index.ts';

const src = new URL('../../../src/', import.meta.url);

describe('operation types', () => {
  it('are named where they are defined, and nowhere else', () => {
    // A type that has its request's name is told from that by what it is compared with.
    const own = operationTypes.filter((type) => operationTable[type].askedBy !== type);
    const literal = new RegExp(
      `(?:(['"\`])(${own.join('|')})\\1|[tT]ype [!=]== (['"\`])(${operationTypes.join('|')})\\3)`,
      'g',
    );
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const elsewhere = files.filter((file) => file !== 'contracts/operation-table.ts');
    const named = elsewhere.flatMap((file) =>
      [...readFileSync(new URL(file, src), 'utf8').matchAll(literal)].map(([found]) => `${file}: ${found}`),
    );
    // What a type means is asked of its row: a comparison elsewhere is a property that the row lacks.
    expect(named).toEqual([]);
    expect(elsewhere.length).toBeLessThan(files.length);
  });

  it('are asked for by one request each', () => {
    const requests = operationTypes.map((type) => operationTable[type].askedBy);
    expect(new Set(requests).size).toBe(requests.length);
    for (const type of operationTypes) expect(operationTypeAskedBy(operationTable[type].askedBy)).toBe(type);
  });
});

describe.each(operationTypes)('the row of %s', (type) => {
  const rules = operationTable[type];
  it('says what a rollback leaves where it is ever rolled back', () => {
    expect(rules.words.rolledBackTo !== undefined).toBe(rules.undo === 'to-applied');
  });

  const { claimed, succeeded, stuck, retried, undone } = rules.tenantStatus;

  it('names a workflow that the bundle has, and that no other row names', () => {
    expect(Object.keys(workflows)).toContain(rules.workflowType);
    expect(operationTypeOf(rules.workflowType)).toBe(type);
  });

  it('is accepted where its claim may move the tenant, and from no status when it creates its tenant', () => {
    const { acceptedFrom } = rules.tenantStatus;
    expect(acceptedFrom.length === 0).toBe(rules.createsTenant);
    for (const status of tenantStatuses) {
      expect(isAcceptable(type, { status, open: undefined })).toBe(acceptedFrom.includes(status));
      for (const open of openOperationStates)
        expect(isAcceptable(type, { status, open })).toBe(rules.takesOverStuck && open === 'stuck');
    }
    for (const from of acceptedFrom)
      if (from !== claimed) expect(tenantStatusTransitions[from], from).toContain(claimed);
  });

  it('moves its tenant along the table of transitions only', () => {
    expect(tenantStatuses.some((from) => tenantStatusTransitions[from].includes(claimed))).toBe(true);
    const lastBefore = rules.succeedsBy === 'close' ? claimed : retried;
    expect(tenantStatusTransitions[lastBefore]).toContain(succeeded);
    if (stuck !== retried) expect(tenantStatusTransitions[stuck]).toContain(retried);
    for (const from of tenantStatuses) {
      const to = undone[from];
      if (to !== undefined) expect(tenantStatusTransitions[from]).toContain(to);
    }
  });

  it('removes in a state that a retry of a stuck one enters, and that leads to its ends', () => {
    expect(operationStateTransitions.stuck).toContain(rules.removesIn);
    for (const end of rules.emptyLedgerAt) expect(operationStateTransitions[rules.removesIn]).toContain(end);
  });

  it('can be cancelled only where it has an undo, and never while it removes', () => {
    if (rules.undo === 'none') expect(rules.cancellableIn).toEqual([]);
    if (rules.hasGrace) expect(rules.cancellableIn).toEqual([]);
    expect(rules.cancellableIn).not.toContain(rules.removesIn);
    expect(rules.makesIn).not.toContain(rules.removesIn);
  });

  it('makes nothing when it walks to nothing, and lets data go only then', () => {
    expect(rules.makesIn.length > 0).toBe(rules.target === 'desired');
    expect(rules.dropsData).toBe(rules.target === 'nothing' || rules.changesTier === true);
  });
});
