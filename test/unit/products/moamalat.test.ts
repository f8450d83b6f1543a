import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blueprintProblems, type Step } from '../../../src/contracts/blueprint.ts';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { dnsRecord } from '../../../src/kinds/dns-record/kind.ts';
import { profilesOf } from '../../../src/products/step.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { exampleCell } from '../../support/platform.ts';

const cell = exampleCell();
const blueprint = moamalat.resolve({
  cell,
  loadBalancer: cell.loadBalancers[0]!,
  tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11',
  slug: 'acme',
  tier: null,
  host: 'acme.moamalat-pro.com',
});
const step = (id: string): Step => blueprint.steps.find((s) => s.id === id)!;

describe('the blueprint of moamalat', () => {
  it('may run', () => {
    expect(blueprintProblems(blueprint, defaultCatalog.kinds)).toEqual([]);
  });

  it('is the one that tenants of version 0.1.0 were accepted with', () => {
    const recorded = readFileSync(new URL('./moamalat-blueprint.json', import.meta.url), 'utf8');
    expect(JSON.stringify(blueprint)).toBe(JSON.stringify(JSON.parse(recorded)));
  });

  it('keeps the nine names, with a suffix where there are two', () => {
    const names = new Set(blueprint.steps.map((s) => s.id.split(':')[0]));
    for (const name of [
      'validate',
      'create_schema',
      'create_task_definition',
      'create_target_group',
      'create_alb_rule',
    ]) {
      expect(names).toContain(name);
    }
    for (const name of ['create_dns', 'deploy_backend', 'deploy_frontend', 'finalize']) expect(names).toContain(name);
  });

  it('reads again on a retry whatever its steps read of the platform or a template', () => {
    const reading = [
      'postgres-schema',
      'task-definition',
      'target-group',
      'listener-rule',
      'dns-record',
      'ecs-service',
    ];
    const rereads = blueprint.steps.filter((s) => s.rereads).map((s) => s.id);
    expect(rereads).toEqual(blueprint.steps.filter((s) => reading.includes(s.kind)).map((s) => s.id));
  });

  it('starts the frontend only once the backend is ready', () => {
    expect(step('deploy_frontend').needs).toContain('deploy_backend');
  });

  it('makes a service wait for the rule that attaches its target group', () => {
    expect(step('deploy_backend').needs).toContain('create_alb_rule:backend');
    expect(step('deploy_frontend').needs).toContain('create_alb_rule:frontend');
  });

  it('takes the record away before the services behind it', () => {
    expect(step('deploy_backend').removeAfter).toEqual(['create_dns']);
    expect(step('deploy_frontend').removeAfter).toEqual(['create_dns']);
  });

  it('fails with the causes of requirement R-ORC-09', () => {
    expect(step('deploy_backend').failsAs).toEqual({
      type: 'BackendFailed',
      message: 'Backend service failed to start',
    });
    expect(step('deploy_frontend').failsAs).toEqual({
      type: 'FrontendFailed',
      message: 'Frontend service failed to start',
    });
  });

  it('gives the backend its database by reference and its password by ARN only', () => {
    const task = step('create_task_definition:backend');
    expect(task.kind === 'task-definition' && task.spec.secrets).toEqual({
      DB_PASSWORD: { ref: 'create_schema.secretArn' },
    });
    expect(JSON.stringify(task.spec)).not.toMatch(/password":"/i);
  });

  it("takes a cell's own usual times, and never its deadlines", () => {
    const fast = exampleCell({ usualMs: { 'ecs-service.ready': 3_000 } });
    const steps = moamalat.resolve({
      cell: fast,
      loadBalancer: fast.loadBalancers[0]!,
      tenantId: 't',
      slug: 'acme',
      tier: null,
      host: 'acme.moamalat-pro.com',
    }).steps;
    expect(steps.find((s) => s.id === 'deploy_backend')?.ready).toEqual({ usualMs: 3_000, deadlineMs: 20 * 60_000 });
  });

  it('gives a deleted record as long as resolvers may hold it, on top of its deadline', () => {
    const slow = { ...exampleCell(), hostedZone: { ...exampleCell().hostedZone, drainSeconds: 86_400 } };
    expect(profilesOf(dnsRecord, slow).gone?.deadlineMs).toBe(10 * 60_000 + 86_400_000);
  });
});
