import {
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { setTemplateImage } from '../../../sandbox/landing-zone/seed.ts';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import { taskDefinition, TEMPLATE_TAG } from '../../../src/activities/kinds/task-definition.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
const others = () => new ECSClient(world.target);
const templateName = 'moamalat-company-x';

async function definition() {
  const tenant = await newTenant(world);
  const secretArn = `arn:aws:secretsmanager:us-east-1:${world.cell.accountId}:secret:${tenant.slug}-abc123`;
  const spec = {
    family: `${tenant.slug}-backend`,
    templateService: templateName,
    environment: { TENANT_ID: tenant.id, DB_PORT: 5432 },
    secrets: { DB_PASSWORD: secretArn },
    logGroup: `/ecs/${tenant.slug}`,
  };
  const context = (changes: Partial<typeof spec> = {}, settings: ContextSettings<'task-definition'> = {}) =>
    contextOf<'task-definition'>(
      world,
      tenant,
      { ...spec, ...changes },
      { stepId: 'create_task_definition:backend', ...settings },
    );
  return { tenant, spec, secretArn, context };
}

async function activeRevisions(family: string): Promise<string[]> {
  const { taskDefinitionArns = [] } = await others().send(
    new ListTaskDefinitionsCommand({ familyPrefix: family, status: 'ACTIVE' }),
  );
  return taskDefinitionArns;
}

describe('task-definition', () => {
  it("clones what the template service runs, with the tenant's variables, secrets and logs", async () => {
    const { tenant, spec, secretArn, context } = await definition();
    const { outputs } = await taskDefinition.ensure(context());
    const template = await world.aws.ecs.findService(templateName);
    expect(outputs).toMatchObject({ templateArn: template!.taskDefinitionArn, containerPort: 8080 });
    const answer = await others().send(
      new DescribeTaskDefinitionCommand({ taskDefinition: outputs.arn, include: ['TAGS'] }),
    );
    const [container] = answer.taskDefinition!.containerDefinitions!;
    expect(container!.name).toBe(outputs.containerName);
    expect(container!.environment).toEqual(
      expect.arrayContaining([
        { name: 'TENANT_ID', value: tenant.id },
        { name: 'DB_PORT', value: '5432' },
      ]),
    );
    expect(container!.secrets).toContainEqual({ name: 'DB_PASSWORD', valueFrom: secretArn });
    expect(container!.logConfiguration?.options).toMatchObject({
      'awslogs-group': spec.logGroup,
      'awslogs-stream-prefix': 'backend',
    });
    expect(answer.taskDefinition).toMatchObject({ networkMode: 'awsvpc', cpu: '256', memory: '512' });
    expect(answer.tags).toContainEqual({ key: TEMPLATE_TAG, value: outputs.templateArn });
  });

  it('registers one revision however often it runs, and another when its inputs change', async () => {
    const { spec, context } = await definition();
    const first = await taskDefinition.ensure(context());
    expect(await taskDefinition.ensure(context())).toEqual(first);
    expect(await activeRevisions(spec.family)).toHaveLength(1);
    const other = await taskDefinition.ensure(context({ environment: { TENANT_ID: 'x', DB_PORT: 5433 } }));
    expect(other.outputs.arn).not.toBe(first.outputs.arn);
  });

  it('adopts the revision that an attempt without an answer registered', async () => {
    const { spec, context } = await definition();
    world.proxy.loseAnswerOf('RegisterTaskDefinition');
    expect((await stepErrorOf(taskDefinition.ensure(context()))).code).toBe('UNCLEAR');
    const { outputs } = await taskDefinition.ensure(context());
    expect(await activeRevisions(spec.family)).toEqual([outputs.arn]);
  });

  it('tells by its fingerprint that the template was deployed anew, and clones that', async () => {
    const { context } = await definition();
    const before = await taskDefinition.fingerprint!(context());
    const first = await taskDefinition.ensure(context());
    const { endpoint, region, credentials } = world.target;
    const arn = await setTemplateImage({
      endpointUrl: endpoint,
      region,
      credentials,
      component: 'backend',
      tag: '2.0',
    });
    expect(await taskDefinition.fingerprint!(context())).toBe(arn);
    expect(before).not.toBe(arn);
    const second = await taskDefinition.ensure(context());
    expect(second.outputs.templateArn).toBe(arn);
    expect(second.outputs.arn).not.toBe(first.outputs.arn);
  });

  it('rejects a template that the cell does not list, and one that does not exist', async () => {
    const { context } = await definition();
    expect((await stepErrorOf(taskDefinition.ensure(context({ templateService: 'other' })))).code).toBe('OUTSIDE_CELL');
    const cell = { ...world.cell, templateServices: { moamalat: { backend: 'gone' } } };
    const missing = await stepErrorOf(taskDefinition.ensure(context({ templateService: 'gone' }, { cell })));
    expect(missing.code).toBe('TEMPLATE_NOT_FOUND');
    expect(missing.message).toContain('"gone"');
  });

  it('refuses roles and images that the cell does not list', async () => {
    const { spec, context } = await definition();
    const noRoles = { ...world.cell, allowedRoleArns: [] };
    expect((await stepErrorOf(taskDefinition.ensure(context({}, { cell: noRoles })))).code).toBe('OUTSIDE_CELL');
    const noImages = { ...world.cell, allowedImageRepositories: ['elsewhere/app'] };
    expect((await stepErrorOf(taskDefinition.ensure(context({}, { cell: noImages })))).code).toBe('OUTSIDE_CELL');
    expect(await activeRevisions(spec.family)).toEqual([]);
  });

  it("deregisters every revision of its own, names them as residues, and leaves somebody else's", async () => {
    const { spec, context } = await definition();
    await taskDefinition.ensure(context());
    await taskDefinition.ensure(context({ logGroup: `${spec.logGroup}-2` }));
    const foreign = await others().send(
      new RegisterTaskDefinitionCommand({
        family: spec.family,
        containerDefinitions: [{ name: 'other', image: 'other:1', memory: 128 }],
      }),
    );
    const removed = await taskDefinition.remove(context());
    expect(removed.residues?.map((r) => r.name).sort()).toEqual([`${spec.family}:1`, `${spec.family}:2`]);
    expect(await activeRevisions(spec.family)).toEqual([foreign.taskDefinition!.taskDefinitionArn]);
    expect(await taskDefinition.remove(context())).toEqual(removed);
    expect(await taskDefinition.observe(context())).toMatchObject({ status: 'absent' });
  });

  it('names what it deregistered just now as residues though the list does not hold it yet', async () => {
    const { spec, context } = await definition();
    const { outputs } = await taskDefinition.ensure(context());
    const ecs: CellAws['ecs'] = {
      ...world.aws.ecs,
      findRevisions: async (family, status) =>
        status === 'INACTIVE' ? [] : world.aws.ecs.findRevisions(family, status),
    };
    const stale = { aws: { ...world.aws, ecs } };
    const removed = await taskDefinition.remove(context({}, stale));
    expect(removed).toMatchObject({ status: 'removed', residues: [{ name: `${spec.family}:1` }] });
    expect(removed.missing).toBeUndefined();
    expect(await taskDefinition.remove(context({}, { ...stale, previous: outputs }))).toEqual(removed);
    expect(await taskDefinition.remove(context())).toEqual(removed);
  });
});
