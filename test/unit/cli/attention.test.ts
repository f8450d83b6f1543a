import { describe, expect, it } from 'vitest';
import type { Status } from '../../../src/cli/api-client.ts';
import { attentionLines, moment } from '../../../src/cli/attention.ts';

const id = '00000000-0000-4000-8000-000000000001';
const now = Date.parse('2026-01-31T03:04:12.000Z');
const arn = 'arn:aws:ecs:us-east-1:1:service/main/moamalat-acme-backend';
const status: Status = {
  tenantId: id,
  status: 'failed',
  operation: { operationId: id, type: 'provision', state: 'stuck' },
  outcome: null,
  currentStep: null,
  currentSteps: [],
  stepsDone: [],
  stepsTotal: 14,
  startedAt: '2026-01-31T03:00:00.000Z',
  updatedAt: '2026-01-31T03:00:12.000Z',
  error: { code: 'ACCESS_DENIED', message: 'ecs:DeleteService failed: no', stepId: 'deploy_backend', detail: 'id 7' },
  leftovers: [
    {
      stepId: 'deploy_backend',
      type: 'ecs:service',
      name: 'moamalat-acme-backend',
      physicalId: arn,
      code: 'ACCESS_DENIED',
      reason: 'ACCESS_DENIED: ecs:DeleteService failed: no (id 7)',
    },
    { stepId: 'create_schema', type: 'postgres:role', name: 'tenant_1', reason: 'not tried: it goes after x' },
    { stepId: 'create_schema', type: 'postgres:schema', name: 'tenant_1', reason: 'not tried: it goes after x' },
  ],
  attention: {
    since: '2026-01-31T03:00:12.000Z',
    otherwise: 'it waits',
    advice: [{ code: 'ACCESS_DENIED', text: 'Fix the rights.', runbook: 'docs/runbook.md#access_denied' }],
    choices: [{ verb: 'retry', command: `tenantry tenants retry ${id}`, effect: 'removes what is left' }],
  },
  cleanupPending: true,
  tenantUrl: 'https://acme.example',
};

describe('what waits for a person', () => {
  it('is told in one block: since when, why, what is left, what to do, what happens otherwise', () => {
    expect(attentionLines(status, now, 80)).toEqual([
      'STUCK      since 2026-01-31 03:00:12 UTC (4 min ago)',
      'failure    ACCESS_DENIED at deploy_backend: ecs:DeleteService failed: no (id 7)',
      'left       step deploy_backend (the failure above)',
      `             ecs:service  ${arn}`,
      '           step create_schema: not tried: it goes after x',
      '             postgres:role  tenant_1',
      '             postgres:schema  tenant_1',
      'advice     ACCESS_DENIED: Fix the rights. See docs/runbook.md#access_denied',
      `you can    tenantry tenants retry ${id}`,
      '             removes what is left',
      'otherwise  it waits',
    ]);
  });

  it('tells what is missing apart from what was not looked at and what is left, the worst first', () => {
    const lost = { code: 'DATA_LOST', message: 'it is gone', stepId: 'create_schema' };
    const leftovers: Status['leftovers'] = [
      { stepId: 'old', type: 'ecs:service', name: 'acme-old', reason: 'no', condition: 'left' },
      { stepId: 'deploy', type: 'ecs-service', name: 'deploy', reason: 'not looked at', condition: 'not-looked-at' },
      {
        stepId: 'create_schema',
        type: 'postgres-schema',
        name: 'create_schema',
        code: 'DATA_LOST',
        reason: 'gone',
        condition: 'missing',
      },
    ];
    const operation = { ...status.operation, state: 'abandoned' as const };
    const lines = attentionLines({ ...status, operation, error: lost, leftovers, unsettled: 'missing' }, now, 80);
    expect(lines[0]).toBe('MISSING    since 2026-01-31 03:00:12 UTC (4 min ago)');
    expect(lines.filter((line) => /^(missing|changed|left|not seen) /.test(line))).toEqual([
      'missing    step create_schema: gone',
      'left       step old: no',
      'not seen   step deploy: not looked at',
    ]);
    expect(lines.join('\n')).not.toContain('LEFT OVER');
  });

  it('tells why it is taken back apart from what keeps it there', () => {
    const error = { code: 'SERVICE_FAILED', message: 'it exits', stepId: 'deploy_backend' };
    const lines = attentionLines({ ...status, error }, now, 120);
    expect(lines).toContain('at first   SERVICE_FAILED at deploy_backend: it exits');
    expect(lines).toContain('left       step deploy_backend: ACCESS_DENIED: ecs:DeleteService failed: no (id 7)');
  });

  it('names what holds the others up first', () => {
    const leftovers = [...(status.leftovers ?? [])].reverse();
    const lines = attentionLines({ ...status, leftovers }, now, 80);
    expect(lines.findIndex((line) => line.includes('step deploy_backend'))).toBeLessThan(
      lines.findIndex((line) => line.includes('step create_schema')),
    );
  });

  it('wraps at the width without breaking an id, and lets no text move the cursor', () => {
    const nasty = { code: 'INTERNAL', message: `\u001b[2J${'word '.repeat(30)}` };
    const lines = attentionLines({ ...status, error: nasty }, now, 60);
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(lines.filter((line) => line.length > 60).every((line) => !line.includes('word'))).toBe(true);
    expect(lines).toContain(`             ecs:service  ${arn}`);
  });

  it('is nothing while an operation is at work', () => {
    expect(attentionLines({ ...status, attention: undefined }, now, 80)).toEqual([]);
  });
});

describe('a moment', () => {
  it.each([
    ['2026-01-31T03:04:00.000Z', '12 s ago'],
    ['2026-01-31T03:34:12.000Z', 'in 30 min'],
    ['2026-01-30T21:04:12.000Z', '6 h ago'],
    ['2026-01-21T03:04:12.000Z', '10 days ago'],
  ])('%s is told with how far away it is: %s', (iso, away) => {
    expect(moment(iso, now)).toBe(`${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC (${away})`);
  });
});
