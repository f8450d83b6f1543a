import { describe, expect, it } from 'vitest';
import { stepDurations } from '../../../sandbox/demo/step-durations.ts';
import type { EventView } from '../../../src/client/views.ts';

function event(seconds: number, type: EventView['type'], stepId: string | null, data: Record<string, unknown> = {}) {
  const at = new Date(Date.parse('2026-01-01T10:00:00.000Z') + seconds * 1000).toISOString();
  return { id: seconds, at, type, tenantId: 't', operationId: 'o', stepId, data };
}

describe('stepDurations', () => {
  it('measures each step from its start to its end, the committing one to the end of the operation', () => {
    const events = [
      event(1, 'step.started', 'validate'),
      event(1, 'step.started', 'create_dns'),
      event(2, 'step.ready', 'validate'),
      event(3, 'step.pending', 'create_dns'),
      event(6, 'step.ready', 'create_dns'),
      event(7, 'step.started', 'finalize'),
      event(9, 'operation.state', null, { to: 'succeeded' }),
    ];
    expect(stepDurations(events)).toEqual([
      { stepId: 'validate', durationMs: 1000 },
      { stepId: 'create_dns', durationMs: 5000 },
      { stepId: 'finalize', durationMs: 2000 },
    ]);
  });

  it('counts a step that did not end as none', () => {
    const events = [event(1, 'step.started', 'validate'), event(2, 'operation.state', null, { to: 'rolled-back' })];
    expect(stepDurations(events)).toEqual([]);
  });
});
