import { expect, it } from 'vitest';
import type { Preview, TenantDrift } from '../../../src/cli/api-client.ts';
import { printPreview } from '../../../src/cli/preview-output.ts';
import type { Terminal } from '../../../src/cli/output.ts';
import { tenantSubject } from '../../../src/cli/subject.ts';

type Step = Preview['steps'][number];
const step = (stepId: string, changes: Partial<Step>): Step => ({
  ...{ stepId, kind: 'target-group', becomes: 'change', fields: [], calls: ['CreateSecret'], expected: null },
  ...{ dropsData: false, ...changes },
});
function printed(operation: Preview['operation'], steps: Step[], drift?: TenantDrift): string {
  let said = '';
  const out = { write: (text: string) => ((said += text), true) } as unknown as NodeJS.WriteStream;
  const terminal: Terminal = { out, err: out };
  printPreview(
    terminal,
    tenantSubject,
    { dryRun: true, tenantId: null, operation, steps, settings: {}, expected: null },
    drift,
  );
  return said;
}

it('a setting that was never chosen is shown as the template has it', () => {
  const fields = [{ field: 'cpu', to: 512 }] as Step['fields'];
  const said = printed('update', [step('define', { kind: 'task-definition', fields })]);
  expect(said).toContain('cpu: (as the template has it) -> 512');
});

it('steps of which nothing is known to differ are told apart from changes, without calls', () => {
  const said = printed('update', [step('schema', {}), step('other', { becomes: 'keep' })]);
  expect(said).toContain('changed only where it reads or refers to something that has changed: 1 step\n');
  expect(said).toContain('  1 of 2 steps stay as they are');
  expect(said).not.toContain('CreateSecret');
});

it('a repair is told with what the last look found', () => {
  const lookedAt = '2026-01-01T10:00:00.000Z';
  const finding = { is: 'changed', field: 'ttl', wanted: 60, found: 5, remedy: 'repair', source: 'look' } as const;
  const said = printed('repair', [step('create_dns', {}), step('rule', { becomes: 'restore' })], {
    ...{ tenantId: 'id', unseen: [], drift: { state: 'drift', findings: 1, since: lookedAt, lookedAt } },
    findings: [{ ...finding, stepId: 'create_dns', firstSeenAt: lookedAt, lastSeenAt: lookedAt }],
  });
  expect(said).toContain('changed only where it is not as it was applied: 2 steps');
  expect(said).toMatch(/the last look \(2026-01-01 10:00:00 UTC .*\) found 1 difference from what was applied/);
  expect(said).toContain('create_dns: changed: ttl: 60 -> 5');
});

it('says whether data goes with what is removed, and counts the steps as the status does', () => {
  const dropped = { becomes: 'drop' } as const;
  const kept = [step('keep', { becomes: 'keep' }), step('make', { becomes: 'make' })];
  const moved = printed('migrate', [...kept, step('rows', dropped)]);
  expect(moved).toContain(
    '  1 of 2 steps stay as they are; 1 other step is removed\n  no data of the tenant is lost\n',
  );
  const deleted = printed('deprovision', [step('logs', dropped), step('rows', { ...dropped, dropsData: true })]);
  expect(deleted).toContain("  0 of 2 steps stay as they are\n  the tenant's data goes with rows\n");
  expect(printed('update', kept)).not.toContain('data');
  const { dropsData: _unsaid, ...older } = step('rows', dropped);
  expect(printed('migrate', [...kept, older])).not.toContain('data');
});
