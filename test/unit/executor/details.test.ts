import { describe, expect, it } from 'vitest';
import type { OperationState } from '../../../src/contracts/operation-state.ts';
import { detailsOf, type DetailsInput } from '../../../src/workflows/executor/details.ts';

const details = (state: OperationState, more: Partial<DetailsInput> = {}) =>
  detailsOf({
    operationId: 'op-1',
    state,
    generation: 1,
    steps: { create_dns: 'polling', deploy_backend: 'failed' },
    plan: {
      ...{ operationId: 'op-1', type: 'provision', tenantId: 't-1', product: 'moamalat', tier: null, slug: 'acme' },
      ...{ tenantStatus: 'creating', onFailure: 'hold', holdMs: 1, steps: [] },
    },
    tenantStatus: 'creating',
    seen: new Map([['create_dns', 'PENDING']]),
    workflowId: 'tenant.moamalat.acme',
    nowMs: Date.parse('2026-01-31T03:00:00Z'),
    ...more,
  });

describe('the current details', () => {
  it('say tenant, operation, state and where each step is', () => {
    const text = details('running');
    for (const part of ['moamalat/acme', '`t-1`', '`op-1`', '**running**', '- create_dns: polling (PENDING)'])
      expect(text).toContain(part);
  });

  it('offer exactly what applies, with the command', () => {
    const command = (name: string) => `temporal workflow signal -w tenant.moamalat.acme --name ${name}`;
    const offered = (state: OperationState) => ['retry', 'cancel'].filter((n) => details(state).includes(command(n)));
    expect(offered('running')).toEqual(['cancel']);
    expect(offered('holding')).toEqual(['retry', 'cancel']);
    expect(offered('stuck')).toEqual(['retry']);
    expect(offered('rolling-back')).toEqual([]);
    // Without the empty line the UI's Markdown runs the list into one line.
    expect(details('stuck')).toContain('You can:\n\n- `retry`');
  });

  it('name the failure and what is left', () => {
    const leftovers = [{ stepId: 'deploy_backend', type: 'ecs:service', name: 'acme', reason: 'no rights' }];
    const failure = { code: 'BackendFailed', message: 'failed to start', stepId: 'deploy_backend', detail: 'exit 1' };
    const text = details('stuck', { failure, leftovers });
    expect(text).toContain('Failed at `deploy_backend`: **BackendFailed**: failed to start (exit 1)');
    expect(text).toContain('Left over:\n\n- ecs:service `acme` of deploy_backend: no rights');
    const missing = [{ ...leftovers[0]!, condition: 'missing' as const }];
    expect(details('stuck', { failure, leftovers: missing })).toContain('Missing:\n\n- ecs:service `acme`');
    expect(details('stuck', { failure, leftovers: missing })).not.toContain('Left over');
  });
});
