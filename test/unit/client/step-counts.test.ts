import { describe, expect, it } from 'vitest';
import { stepCounts } from '../../../src/client/step-counts.ts';
import type { Step } from '../../../src/contracts/blueprint.ts';
import type { OperationState } from '../../../src/contracts/operation-state.ts';
import type { OperationType } from '../../../src/contracts/operation-table.ts';
import type { StepRow } from '../../../src/db/steps.ts';

const step = (id: string, spec: Step['spec'] = {}): Step => ({ id, kind: 'log-group', needs: [], spec });
const row = (stepId: string, state: StepRow['state'], operationId = 'before') => ({
  ...{ stepId, kind: stepId === 'rows' ? 'dynamodb-rows' : 'log-group', state, operationId },
});
const operation = (type: OperationType, state: OperationState, more: object = {}) => ({
  ...{ id: 'own', type, state, refreshes: false, graceUntil: null, committedAt: null },
  ...more,
});

const nothing: Parameters<typeof stepCounts>[2] = { own: [], applied: [] };
const countsOf = (of: Parameters<typeof stepCounts>[0], rows: ReturnType<typeof row>[], blueprints = nothing) =>
  stepCounts(of, rows, blueprints, (kind) => kind === 'dynamodb-rows');

const applied = [step('logs'), step('service'), step('notice')];
const own = [step('logs'), step('service', { count: 2 })];
const ready = [row('logs', 'ready'), row('service', 'ready'), row('notice', 'ready')];
const counts = (state: OperationState, rows = ready, type: OperationType = 'update') =>
  countsOf(operation(type, state), rows, { own, applied });

describe('the steps of a change', () => {
  it.each(['accepted', 'cancelled', 'rolled-back', 'withdrawn'] as const)('are none while it is %s', (state) => {
    expect(counts(state)).toEqual({ stepsDone: [], stepsTotal: 2 });
    expect(counts(state, ready, 'resume')).toEqual({ stepsDone: [], stepsTotal: 2 });
  });

  it('are those that stay and those that it has made, and never one that is not its own', () => {
    expect(counts('running')).toEqual({ stepsDone: ['logs'], stepsTotal: 2 });
    const made = [row('logs', 'ready'), row('service', 'ready', 'own'), row('notice', 'ready')];
    expect(counts('running', made)).toEqual({ stepsDone: ['logs', 'service'], stepsTotal: 2 });
    expect(counts('succeeded')).toEqual({ stepsDone: ['logs', 'service'], stepsTotal: 2 });
  });

  it('of a repair are those that it has brought back', () => {
    expect(countsOf(operation('repair', 'committing'), ready, { own: applied, applied })).toEqual({
      ...{ stepsDone: [], stepsTotal: 3 },
    });
  });
});

describe('the steps of a deletion', () => {
  const rows = [row('old', 'removed'), row('logs', 'ready'), row('service', 'removed', 'own')];

  it('are those that it removes, not those that an operation before it removed', () => {
    const deleting = countsOf(operation('deprovision', 'committing'), rows);
    expect(deleting).toEqual({ stepsDone: ['service'], stepsTotal: 2 });
  });

  it('are those too that it removes again, since others may have added to them', () => {
    const left = [row('logs', 'ready'), row('rows', 'removed')];
    expect(countsOf(operation('deprovision', 'committing'), left)).toEqual({ stepsDone: [], stepsTotal: 2 });
    const gone = [row('logs', 'removed', 'own'), row('rows', 'removed', 'own')];
    expect(countsOf(operation('deprovision', 'succeeded'), gone).stepsDone).toEqual(['logs', 'rows']);
    // By a run that a worker of the release before began.
    const skipped = [row('logs', 'removed', 'own'), row('rows', 'removed')];
    expect(countsOf(operation('deprovision', 'succeeded'), skipped)).toEqual({ stepsDone: ['logs'], stepsTotal: 1 });
  });

  it('are none in its grace period, and after its cancel', () => {
    const left = [row('old', 'removed'), row('logs', 'ready'), row('service', 'ready')];
    for (const state of ['accepted', 'running', 'cancelled'] as const)
      expect(countsOf(operation('deprovision', state, { graceUntil: new Date() }), left)).toEqual({
        stepsDone: [],
        stepsTotal: 2,
      });
  });
});
