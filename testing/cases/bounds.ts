import { strict as assert } from 'node:assert';
import { blueprintProblems, type Step } from '../../src/contracts/blueprint.ts';
import { createKindRegistry } from '../../src/kinds/framework/registry.ts';
import type { Cell } from '../../src/contracts/platform.ts';
import type { Bench } from '../bench.ts';
import { changeTenant, failureOf, SLUG, type SampleTenant } from '../tenant.ts';
import type { ConformanceCase } from './case.ts';

export const boundsCases: readonly ConformanceCase[] = [
  {
    name: "refuses a spec that names what is not the cell's or the tenant's",
    async run(bench) {
      const { tenant } = await bench.tenant();
      await Promise.all(boundPaths(bench, tenant).map((path) => expectOutside(bench, path)));
    },
  },
  {
    name: 'is refused twice under one name, before anything is made',
    async run({ kind, stand, tenant }) {
      const { blueprint, step } = (await tenant()).tenant;
      if (Object.keys(kind.types).length === 0) return;
      const again = { ...step, id: `${step.id}-again` };
      const steps = [...blueprint.steps.filter(({ id }) => id !== 'finalize'), again];
      const finalize = { ...blueprint.steps.find(({ id }) => id === 'finalize')!, needs: steps.map(({ id }) => id) };
      const problems = blueprintProblems({ ...blueprint, steps: [...steps, finalize] }, stand.kinds);
      assert.ok(
        problems.some((problem) => problem.includes(`"${step.id}" and "${again.id}" both make`)),
        `two steps of one name were taken: ${problems.join('; ') || 'no problem'}`,
      );
    },
  },
  {
    name: 'goes together with the kinds that there are',
    run: ({ kind, stand }) => {
      createKindRegistry([...[...stand.kinds.kinds.values()].filter(({ name }) => name !== kind.name), kind]);
      return Promise.resolve();
    },
  },
];

/** Fields of a spec that must not hold just anything: what derives from the tenant, and what the cell's description lists. */
function boundPaths({ sample, stand }: Bench, { slug, step }: SampleTenant): (readonly string[])[] {
  const free = sample.freeFields ?? [];
  return leavesOf(step.spec)
    .filter(
      ({ path, value }) =>
        !free.includes(path[0] ?? '') && (listedIn(stand.cell).includes(value) || value.includes(slug)),
    )
    .map(({ path }) => path);
}

function listedIn({ hostedZone, loadBalancers, sharedTables = [], templateServices, tenantDatabases }: Cell): string[] {
  return [
    ...loadBalancers.flatMap(({ arn, httpsListenerArn }) => [arn, httpsListenerArn]),
    ...tenantDatabases.map(({ id }) => id),
    ...Object.values(templateServices).flatMap((services) => Object.values(services)),
    ...sharedTables,
    hostedZone.id,
  ];
}

async function expectOutside(bench: Bench, path: readonly string[]): Promise<void> {
  const driver = await bench.tenant();
  await driver.makeNeeds();
  const { step: own } = driver.tenant;
  driver.tenant = await changeTenant(bench.stand, driver.tenant, [
    ...driver.needs(),
    { ...own, spec: changedAt(own.spec, path) },
  ]);
  const { code } = await failureOf(driver.ensure());
  const { step } = driver.tenant;
  assert.equal(code, 'OUTSIDE_CELL', `${path.join('.')} of ${JSON.stringify(step.spec)} was met with this`);
  await driver.beginUndo();
}

function changedAt(spec: Step['spec'], path: readonly string[]): Step['spec'] {
  const change = (value: unknown, [key, ...rest]: readonly string[]): unknown => {
    if (key === undefined) return typeof value === 'string' ? foreign(value) : value;
    if (Array.isArray(value)) return value.map((one: unknown, i) => (String(i) === key ? change(one, rest) : one));
    const fields = value as Readonly<Record<string, unknown>>;
    return { ...fields, [key]: change(fields[key], rest) };
  };
  return change(spec, path) as Step['spec'];
}

/** Another account's ARN, another tenant's name, or what the cell does not list. */
function foreign(value: string): string {
  if (value.startsWith('arn:')) return value.replace(/:\d{12}:/, ':999999999999:');
  const others = value.replaceAll(SLUG, 'somebody-elses');
  return others === value ? `not-${value}` : others;
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: string;
}

function leavesOf(value: unknown, path: readonly string[] = []): Leaf[] {
  if (typeof value === 'string') return [{ path, value }];
  if (typeof value !== 'object' || value === null || 'ref' in value) return [];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}
