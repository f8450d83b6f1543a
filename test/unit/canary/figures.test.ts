import { expect, it } from 'vitest';
import { textFigures } from '../../../src/canary/figures.ts';
import { nextStep } from '../../../src/canary/removal.ts';
import type { Status } from '../../../src/cli/api-client.ts';

it('figures are those of all runs, a success with its time', () => {
  const figures = textFigures(() => 1_800_000_000_500);
  figures.ended('moamalat', { outcome: 'failed', seconds: { caller: 0.2, create: 900 } });
  figures.ended('moamalat', { outcome: 'succeeded', seconds: { caller: 0.3, create: 40 } });
  const lines = figures.text().split('\n');
  for (const line of [
    'tenantry_canary_runs_total{product="moamalat",outcome="failed"} 1',
    'tenantry_canary_runs_total{product="moamalat",outcome="succeeded"} 1',
    'tenantry_canary_last_success_timestamp_seconds{product="moamalat"} 1800000000.500',
    'tenantry_canary_duration_seconds_bucket{product="moamalat",phase="create",le="30"} 0',
    'tenantry_canary_duration_seconds_bucket{product="moamalat",phase="create",le="60"} 1',
    'tenantry_canary_duration_seconds_bucket{product="moamalat",phase="create",le="+Inf"} 2',
    'tenantry_canary_duration_seconds_sum{product="moamalat",phase="create"} 940.000',
    'tenantry_canary_duration_seconds_count{product="moamalat",phase="caller"} 2',
  ])
    expect(lines).toContain(line);
});

const status = (given: object, outcome: object | null = null) =>
  ({ status: 'deleting', cleanupPending: false, outcome, ...given }) as unknown as Status;
const operation = (type: string, state: string) => ({ operation: { operationId: 'o', type, state } });

it.each([
  ['gone', status({ status: 'deleted', ...operation('deprovision', 'succeeded') }, {})],
  ['waiting', status(operation('deprovision', 'running'))],
  ['waiting', status({ ...operation('deprovision', 'accepted'), deletesAt: new Date(1_000).toISOString() })],
  ['to cancel', status({ ...operation('deprovision', 'accepted'), deletesAt: new Date(86_400_000).toISOString() })],
  ['to cancel', status({ status: 'creating', ...operation('provision', 'holding') })],
  ['waiting', status({ status: 'creating', ...operation('provision', 'rolling-back') })],
  ['to delete', status({ status: 'active', ...operation('provision', 'succeeded') }, {})],
  ['to delete', status({ status: 'failed', ...operation('provision', 'rolled-back') }, {})],
  ['to delete', status({ status: 'failed', ...operation('provision', 'stuck') })],
])('of a tenant that is to go, the next is: %s', (is, given) => {
  expect(nextStep(given, new Set(), 0).is).toBe(is);
});

it('a deletion of this removal that got stuck is not superseded by another', () => {
  expect(nextStep(status(operation('deprovision', 'stuck')), new Set(['o'])).is).toBe('stuck');
});
