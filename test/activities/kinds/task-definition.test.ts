import {
  CreateServiceCommand,
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  type ContainerDefinition,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { setTemplateImage } from '../../../sandbox/landing-zone/seed.ts';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import { listenerRule } from '../../../src/kinds/listener-rule/kind.ts';
import { targetGroup } from '../../../src/kinds/target-group/kind.ts';
import { DEFINITION_TAG, taskDefinition, TEMPLATE_TAG } from '../../../src/kinds/task-definition/kind.ts';
import { ownershipTags } from '../../../src/naming.ts';
import { seedTenant } from '../../db/fixtures.ts';
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
    environment: { ENVIRONMENT: 'test', TENANT_ID: tenant.id, DB_PORT: 5432 },
    secrets: { DB_PASSWORD: secretArn },
    logGroup: `/ecs/${tenant.slug}`,
  };
  type Changes = Partial<typeof spec & { image: string; cpu: number; memory: number }>;
  const context = (changes: Changes = {}, settings: ContextSettings<'task-definition'> = {}) =>
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

const imageOf = (name: string) => `${world.cell.accountId}.dkr.ecr.us-east-1.amazonaws.com/moamalat-${name}:1.0`;
const backend = (changes: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
  name: 'app',
  image: imageOf('backend'),
  portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
  ...changes,
});
const xray = (): ContainerDefinition => ({
  name: 'xray',
  image: imageOf('frontend'),
  portMappings: [{ containerPort: 2000, protocol: 'udp' }],
});

/** A template service of these containers, behind a target group of its own; the cell that lists it. */
async function otherTemplate(containerDefinitions: ContainerDefinition[], target?: [name: string, port: number]) {
  const { slug: name, ...rest } = await newTenant(world, 'template');
  const { taskDefinition: made } = await others().send(
    new RegisterTaskDefinitionCommand({
      family: name,
      executionRoleArn: world.cell.allowedRoleArns[0],
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
      containerDefinitions,
    }),
  );
  const loadBalancers = target && [
    {
      targetGroupArn: await attachedGroup({ slug: name, ...rest }),
      containerName: target[0],
      containerPort: target[1],
    },
  ];
  await others().send(
    new CreateServiceCommand({
      cluster: world.cell.cluster,
      serviceName: name,
      taskDefinition: made!.taskDefinitionArn,
      desiredCount: 0,
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: { subnets: [...world.cell.subnetIds] } },
      ...(loadBalancers && { loadBalancers }),
    }),
  );
  return { name, cell: { ...world.cell, templateServices: { moamalat: { backend: name } } } };
}

async function attachedGroup(tenant: Awaited<ReturnType<typeof newTenant>>): Promise<string> {
  const spec = { component: 'backend', port: 8080, healthPath: '/health' } as const;
  const { arn } = (await targetGroup.ensure(contextOf<'target-group'>(world, tenant, spec))).outputs;
  const loadBalancerArn = world.cell.loadBalancers[0]!.arn;
  const rule = { loadBalancerArn, host: tenant.host, paths: [], targetGroupArn: arn };
  await listenerRule.ensure(contextOf<'listener-rule'>(world, tenant, rule));
  return arn;
}

/** A revision of the family, with these tags. */
async function registerAs(family: string, tags: Readonly<Record<string, string>> = {}): Promise<string> {
  const made = await others().send(
    new RegisterTaskDefinitionCommand({
      family,
      containerDefinitions: [{ name: 'other', image: 'other:1', memory: 128 }],
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    }),
  );
  return made.taskDefinition!.taskDefinitionArn!;
}

describe('a template with a sidecar', () => {
  it("is cloned so that the container behind the template's load balancer gets the tenant's values, though another is first", async () => {
    const { tenant, context } = await definition();
    const { name, cell } = await otherTemplate([xray(), backend()], ['app', 8080]);
    const { outputs } = await taskDefinition.ensure(context({ templateService: name }, { cell }));
    expect(outputs).toMatchObject({ containerName: 'app', containerPort: 8080 });
    const answer = await others().send(new DescribeTaskDefinitionCommand({ taskDefinition: outputs.arn }));
    const [sidecar, app] = answer.taskDefinition!.containerDefinitions!;
    expect(app!.environment).toContainEqual({ name: 'TENANT_ID', value: tenant.id });
    expect(sidecar!.environment).toEqual([]);
  });

  it('is refused when nothing says which container is the application, and when the load balancer names the wrong one', async () => {
    const { spec, context } = await definition();
    const two = await otherTemplate([
      xray(),
      backend(),
      backend({ name: 'admin', portMappings: [{ containerPort: 9000 }] }),
    ]);
    const refused = await stepErrorOf(
      taskDefinition.ensure(context({ templateService: two.name }, { cell: two.cell })),
    );
    expect(refused.code).toBe('TEMPLATE_UNUSABLE');
    expect(refused.message).toMatch(/app:8080, admin:9000.*give the service a load balancer/);
    expect(await activeRevisions(spec.family)).toEqual([]);
  });

  it('has a fingerprint that changes with the container that requests go to', async () => {
    const { context } = await definition();
    const both = [backend(), backend({ name: 'admin', portMappings: [{ containerPort: 9000 }] })];
    const [first, second] = [await otherTemplate(both, ['app', 8080]), await otherTemplate(both, ['admin', 9000])];
    const seen = await Promise.all(
      [first, second].map(({ name, cell }) =>
        taskDefinition.fingerprint!(context({ templateService: name }, { cell })),
      ),
    );
    expect(seen).toEqual([expect.stringMatching(/ app:8080$/), expect.stringMatching(/ admin:9000$/)]);
  });
});

describe('a template that tenants would share something with', () => {
  it('is refused, unless the cell allows the thing by its name', async () => {
    const { spec, context } = await definition();
    const { name, cell } = await otherTemplate([backend({ secrets: [{ name: 'API_KEY', valueFrom: 'arn:shared' }] })]);
    const refused = await stepErrorOf(taskDefinition.ensure(context({ templateService: name }, { cell })));
    expect(refused.code).toBe('TEMPLATE_UNUSABLE');
    expect(refused.message).toContain('secret API_KEY of container app');
    expect(await activeRevisions(spec.family)).toEqual([]);
    const allowing = { ...cell, sharedWithTemplate: { moamalat: { secrets: ['API_KEY'] } } };
    await taskDefinition.ensure(context({ templateService: name }, { cell: allowing }));
    expect(await activeRevisions(spec.family)).toHaveLength(1);
  });
});

describe("a family that is somebody else's", () => {
  it('gets no revision of ours while one of theirs is ACTIVE', async () => {
    const { spec, context } = await definition();
    const foreign = await registerAs(spec.family);
    const refused = await stepErrorOf(taskDefinition.ensure(context()));
    expect(refused.code).toBe('OWNERSHIP_CONFLICT');
    expect(refused.detail).toContain(foreign);
    expect(await activeRevisions(spec.family)).toEqual([foreign]);
    await others().send(new DeregisterTaskDefinitionCommand({ taskDefinition: foreign }));
    const { outputs } = await taskDefinition.ensure(context());
    expect(await activeRevisions(spec.family)).toEqual([outputs.arn]);
  });

  it('is no such family when an earlier tenant of the slug, which is removed, left a revision in it', async () => {
    const { spec, context } = await definition();
    const { tenantId, operationId } = await seedTenant(world.db);
    const mark = { installationId: world.installationId, tenantId, product: 'moamalat', operationId, stepId: 's' };
    const left = await registerAs(spec.family, ownershipTags(mark));
    expect((await stepErrorOf(taskDefinition.ensure(context()))).code).toBe('OWNERSHIP_CONFLICT');
    await world.db.query(
      `insert into ledger (tenant_id, step_id, cell, operation_id, type, name, state)
       values ($1, 's', 'default', $2, 'ecs:task-definition', $3, 'removed')`,
      [tenantId, operationId, spec.family],
    );
    const { outputs } = await taskDefinition.ensure(context());
    expect((await activeRevisions(spec.family)).sort()).toEqual([left, outputs.arn].sort());
  });
});

/** The application's container of a revision. */
async function appIn(arn: string): Promise<ContainerDefinition> {
  const { taskDefinition: found } = await others().send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
  return found!.containerDefinitions![0]!;
}

function deployTemplate(tag: string): Promise<string> {
  const { endpoint: endpointUrl, region, credentials } = world.target;
  return setTemplateImage({ endpointUrl, region, credentials, component: 'backend', tag });
}

/** As if these revisions had been deleted, not deregistered alone. */
function withoutRevisions(...deleted: string[]): { aws: CellAws } {
  const { ecs } = world.aws;
  const findTaskDefinition: typeof ecs.findTaskDefinition = (arn) =>
    deleted.includes(arn) ? Promise.resolve(undefined) : ecs.findTaskDefinition(arn);
  return { aws: { ...world.aws, ecs: { ...ecs, findTaskDefinition } } };
}

describe('a revision of a tenant that is active', () => {
  const otherSecret = `arn:aws:secretsmanager:us-east-1:1:secret:other-abc123`;

  it('is changed by what the template ran when it was cloned; only a refresh takes what it runs now', async () => {
    const { spec, context } = await definition();
    const { outputs: applied } = await taskDefinition.ensure(context());
    const before = await appIn(applied.arn);
    const now = await deployTemplate('applied-2');
    const settings = { applied, previous: applied, otherSpec: spec };
    const changes = { secrets: { DB_PASSWORD: otherSecret }, cpu: 512, memory: 1_024 };
    const asked = world.proxy.actions().length;
    expect(await taskDefinition.fingerprint!(context(changes, settings))).toBe(`${applied.templateArn} backend:8080`);
    expect(world.proxy.actions()).toHaveLength(asked);
    const { outputs } = await taskDefinition.ensure(context(changes, settings));
    expect(outputs).toMatchObject({ ...applied, arn: expect.not.stringMatching(applied.arn) as string });
    expect(await appIn(outputs.arn)).toMatchObject({
      image: before.image,
      secrets: [{ name: 'DB_PASSWORD', valueFrom: otherSecret }],
    });

    const refreshing = { ...settings, refreshes: true };
    expect(await taskDefinition.fingerprint!(context(changes, refreshing))).toContain(now);
    const { outputs: fresh } = await taskDefinition.ensure(context(changes, refreshing));
    expect(fresh.templateArn).toBe(now);
    expect((await appIn(fresh.arn)).image).toMatch(/:applied-2$/);
  });

  it("has the template's own again where its settings end, as it was cloned", async () => {
    const { spec, context } = await definition();
    const image = `${world.cell.allowedImageRepositories[0]}@sha256:${'a'.repeat(64)}`;
    const environment = { ...spec.environment, EXTRA: 'yes' };
    const pinned = { ...spec, environment, image };
    const { outputs: applied } = await taskDefinition.ensure(context(pinned));
    expect(await appIn(applied.arn)).toMatchObject({ image });
    const template = await appIn(applied.templateArn);
    await deployTemplate('settings-end');
    const settings = { applied, previous: applied, otherSpec: pinned };
    const { outputs } = await taskDefinition.ensure(context({}, settings));
    const app = await appIn(outputs.arn);
    expect(app.image).toBe(template.image);
    expect(app.environment?.map(({ name }) => name)).not.toContain('EXTRA');

    // Where the template's revision was deleted, the tenant's own has all but what the settings replaced.
    const deleted = withoutRevisions(applied.templateArn);
    const { outputs: kept } = await taskDefinition.ensure(context({ image }, { ...settings, ...deleted }));
    expect(kept.templateArn).toBe(applied.templateArn);
    expect(await appIn(kept.arn)).toEqual({ ...app, image });
    const { outputs: anew } = await taskDefinition.ensure(context({}, { ...settings, ...deleted }));
    expect((await appIn(anew.arn)).image).toMatch(/:settings-end$/);
  });

  it('is cloned from the template of now where its steps name another template', async () => {
    const { spec, context } = await definition();
    const { outputs: applied } = await taskDefinition.ensure(context());
    const { name, cell } = await otherTemplate([backend()], ['app', 8080]);
    const settings = { applied, previous: applied, otherSpec: spec, cell };
    const { outputs } = await taskDefinition.ensure(context({ templateService: name }, settings));
    expect(outputs).toMatchObject({ containerName: 'app' });
  });

  it('goes back as it is, or as another of the same where its secret or itself had to be made anew', async () => {
    const { spec, secretArn, context } = await definition();
    const { outputs: applied } = await taskDefinition.ensure(context());
    const settings = { applied, previous: applied, goesBack: true, ...withoutRevisions('none') };
    await deployTemplate('goes-back');
    expect((await taskDefinition.ensure(context({}, settings))).outputs).toEqual(applied);
    const secrets = { DB_PASSWORD: otherSecret };
    expect(await taskDefinition.differs!(context({ secrets }, settings))).toContainEqual({
      is: 'changed',
      field: 'secrets.DB_PASSWORD',
      wanted: otherSecret,
      found: secretArn,
    });
    const { outputs: repaired } = await taskDefinition.ensure(context({ secrets }, settings));
    expect(repaired).toMatchObject({ ...applied, arn: expect.not.stringMatching(applied.arn) as string });
    const image = (await appIn(applied.arn)).image;
    expect(await appIn(repaired.arn)).toMatchObject({ image, secrets: [{ valueFrom: otherSecret }] });
    expect(await taskDefinition.ensure(context({ secrets }, settings))).toMatchObject({ outputs: repaired });

    await others().send(new DeregisterTaskDefinitionCommand({ taskDefinition: applied.arn }));
    const logGroup = { logGroup: `${spec.logGroup}-2` };
    await taskDefinition.ensure(context(logGroup, { ...settings, goesBack: false, otherSpec: spec }));
    const { outputs: again } = await taskDefinition.ensure(context({}, settings));
    expect(again.arn).not.toBe(applied.arn);
    expect(await appIn(again.arn)).toEqual(await appIn(applied.arn));
  });

  it('that somebody deregistered is missed, though an older one is ACTIVE beside it', async () => {
    const { spec, context } = await definition();
    const { outputs: older } = await taskDefinition.ensure(context());
    const logGroup = { logGroup: `${spec.logGroup}-2` };
    const changing = { applied: older, previous: older, otherSpec: spec };
    const { outputs: applied } = await taskDefinition.ensure(context(logGroup, changing));
    const look = context(logGroup, { applied, previous: applied });
    expect((await taskDefinition.observe(look)).status).toBe('ready');
    await others().send(new DeregisterTaskDefinitionCommand({ taskDefinition: applied.arn }));
    expect(await activeRevisions(spec.family)).toEqual([older.arn]);
    expect(await taskDefinition.observe(look)).toMatchObject({ status: 'absent' });
    expect(await taskDefinition.differs!(look)).toEqual([
      { is: 'missing', field: `ecs:task-definition ${applied.arn}` },
    ]);
    // While it is removed, what is left is the question.
    const removing = context(logGroup, { applied, previous: applied, removingAt: new Date() });
    expect((await taskDefinition.observe(removing)).status).toBe('ready');
  });
});

describe('task-definition', () => {
  it('keeps the revision that the service runs, and takes away another of the same inputs that landed late', async () => {
    const { spec, context } = await definition();
    const { outputs } = await taskDefinition.ensure(context());
    const { taskDefinition: made, tags } = await others().send(
      new DescribeTaskDefinitionCommand({ taskDefinition: outputs.arn, include: ['TAGS'] }),
    );
    const { containerDefinitions, networkMode, cpu, memory, family } = made!;
    const late = { family, containerDefinitions, networkMode, cpu, memory, tags };
    await others().send(new RegisterTaskDefinitionCommand(late));
    expect(tags?.map(({ key }) => key)).toContain(DEFINITION_TAG);
    expect(await activeRevisions(spec.family)).toHaveLength(2);
    const again = await taskDefinition.ensure(context({}, { previous: outputs }));
    expect(again.outputs.arn).toBe(outputs.arn);
    expect(await activeRevisions(spec.family)).toEqual([outputs.arn]);
  });

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
    const other = await taskDefinition.ensure(
      context({ environment: { ENVIRONMENT: 'test', TENANT_ID: 'x', DB_PORT: 5433 } }),
    );
    expect(other.outputs.arn).not.toBe(first.outputs.arn);
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
    expect(await taskDefinition.fingerprint!(context())).toBe(`${arn} backend:8080`);
    expect(before).not.toContain(arn);
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

  it('describes few of the revisions that earlier tenants of the slug left, and still names all of its own', async () => {
    const { spec, context } = await definition();
    const earlier: string[] = [];
    for (let n = 0; n < 25; n++) earlier.push(await registerAs(spec.family));
    for (const taskDefinition of earlier) await others().send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
    await taskDefinition.ensure(context());
    await taskDefinition.ensure(context({ logGroup: `${spec.logGroup}-2` }));
    const seen = world.proxy.actions().length;
    const removed = await taskDefinition.remove(context());
    expect(removed.residues?.map((r) => r.name).sort()).toEqual([`${spec.family}:26`, `${spec.family}:27`]);
    const described = world.proxy
      .actions()
      .slice(seen)
      .filter((action) => action === 'DescribeTaskDefinition');
    expect(described.length).toBeLessThan(25);
  });

  it('names what it deregistered just now as residues though the list does not hold it yet', async () => {
    const { spec, context } = await definition();
    const { outputs } = await taskDefinition.ensure(context());
    const ecs: CellAws['ecs'] = {
      ...world.aws.ecs,
      findLatestInactive: () => Promise.resolve([]),
    };
    const stale = { aws: { ...world.aws, ecs } };
    const removed = await taskDefinition.remove(context({}, stale));
    expect(removed).toMatchObject({ status: 'removed', residues: [{ name: `${spec.family}:1` }] });
    expect(removed.missing).toBeUndefined();
    expect(await taskDefinition.remove(context({}, { ...stale, previous: outputs }))).toEqual(removed);
    expect(await taskDefinition.remove(context())).toEqual(removed);
  });
});
