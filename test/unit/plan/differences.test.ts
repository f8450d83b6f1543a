import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/contracts/blueprint.ts';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { differences, type StepDifference } from '../../../src/plan/differences.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { resolveUnplaced } from '../../../src/products/places.ts';
import { exampleCell } from '../../support/platform.ts';

const cell = exampleCell();
const tenant = { tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', slug: 'acme', tier: null };
const stepsOf = (settings = {}) => resolveUnplaced(moamalat, cell, { ...tenant, settings }).steps;
const applied = stepsOf();
const factsOf = (kind: string) => defaultCatalog.kinds.kinds.get(kind) ?? {};
const differ = (target: readonly Step[], from = applied) => differences(from, target, factsOf);

/** The applied steps, one of them with other fields. */
const withSpec = (id: string, fields: Step['spec']) =>
  applied.map((step) => (step.id === id ? { ...step, spec: { ...step.spec, ...fields } } : step));
const problemsOf = (found: readonly StepDifference[]) => found.flatMap(({ problems }) => problems);

describe('what differs', () => {
  it('is nothing between a blueprint and itself, in whichever order its fields came back from the database', () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, field]) => [name, turned(field)]),
      );
    };
    expect(differ(turned(applied) as Step[])).toEqual([]);
  });

  it('are the fields that settings change, each with what it was and is to be', () => {
    const image = `${cell.allowedImageRepositories[0] ?? ''}@sha256:${'a'.repeat(64)}`;
    expect(
      differ(stepsOf({ services: { backend: { image, count: 3 }, frontend: { cpu: 256, memory: 512 } } })),
    ).toEqual([
      changed('create_task_definition:backend', 'task-definition', [['image', undefined, image]]),
      changed('deploy_backend', 'ecs-service', [['desiredCount', 1, 3]]),
      changed('create_task_definition:frontend', 'task-definition', [
        ['cpu', undefined, 256],
        ['memory', undefined, 512],
      ]),
    ]);
  });

  it('is told down to the variable of a container', () => {
    const { environment } = applied.find(({ id }) => id === 'create_task_definition:backend')!.spec;
    const target = withSpec('create_task_definition:backend', {
      environment: { ...(environment as object), TENANT_URL: 'https://new', DB_HOST: { ref: 'create_schema.role' } },
    });
    expect(differ(target)[0]?.fields).toEqual([
      { field: 'environment.TENANT_URL', from: 'https://acme.moamalat-pro.com', to: 'https://new' },
      { field: 'environment.DB_HOST', from: { ref: 'create_schema.host' }, to: { ref: 'create_schema.role' } },
    ]);
    expect(problemsOf(differ(target))).toEqual([]);
  });

  it('are steps that only one side has', () => {
    const without = applied.filter(({ id }) => id !== 'create_log_group:backend');
    const step = { stepId: 'create_log_group:backend', kind: 'log-group', fields: [], problems: [] };
    expect(differ(without)).toEqual([{ ...step, is: 'removed' }]);
    expect(differ(applied, without)).toEqual([{ ...step, is: 'added' }]);
  });
});

describe('what cannot be done to what is there', () => {
  it.each([
    [
      'create_target_group:backend',
      { port: 81 },
      'port of the target-group "create_target_group:backend" cannot be changed from 8080 to 81: of what is there only healthPath can',
    ],
    ['create_log_group:backend', { name: '/ecs/x' }, 'name of the log-group'],
    ['create_schema', { database: 'other' }, 'database of the postgres-schema'],
    [
      'create_alb_rule:backend',
      { paths: ['/x'] },
      'paths of the listener-rule "create_alb_rule:backend" cannot be changed from ["/api/*"] to ["/x"]',
    ],
    ['create_dns', { host: 'b.moamalat-pro.com' }, 'host of the dns-record'],
    ['deploy_backend', { serviceName: 'x' }, 'serviceName of the ecs-service'],
    ['finalize', { tenantUrl: 'https://x' }, 'tenantUrl of the tenant-activation "finalize" cannot be changed'],
  ])('is said of %s with %j', (id, fields, said) => {
    expect(problemsOf(differ(withSpec(id, fields)))).toEqual([expect.stringContaining(said)]);
  });

  it('is another kind under the same id, and the loss of what holds data', () => {
    const other = applied.map((step) =>
      step.id === 'create_log_group:backend' ? { ...step, kind: 'sqs-queue' } : step,
    );
    expect(problemsOf(differ(other))).toEqual([
      'the step "create_log_group:backend" is a log-group and cannot become a sqs-queue',
    ]);
    const without = applied.filter(({ id }) => id !== 'create_schema');
    expect(problemsOf(differ(without))).toEqual([expect.stringContaining("it holds the tenant's data")]);
  });
});

function changed(stepId: string, kind: string, fields: (readonly [string, unknown, unknown])[]): StepDifference {
  return {
    ...{ stepId, kind, is: 'changed', problems: [] },
    fields: fields.map(([field, from, to]) => ({ field, from, to })),
  };
}
