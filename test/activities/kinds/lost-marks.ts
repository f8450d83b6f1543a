import {
  CloudWatchLogsClient,
  TagResourceCommand as TagLogGroup,
  UntagResourceCommand as UntagLogGroup,
} from '@aws-sdk/client-cloudwatch-logs';
import { ECSClient, TagResourceCommand as TagEcs, UntagResourceCommand as UntagEcs } from '@aws-sdk/client-ecs';
import {
  AddTagsCommand,
  ElasticLoadBalancingV2Client,
  RemoveTagsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import {
  SecretsManagerClient,
  TagResourceCommand as TagSecret,
  UntagResourceCommand as UntagSecret,
} from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { INSTALLATION_TAG, TENANT_TAG } from '../../../src/aws/tags.ts';
import { schemaName, secretName } from '../../../src/naming.ts';
import type { KindWorld } from './kind-world.ts';
import type { StepTenant } from './step-bench.ts';

/** Somebody with the rights for it who takes the mark off a tenant's thing, writes another one over it, or puts it back. */
export interface MarkOfThing {
  readonly stepId: string;
  readonly type: string;
  strip(tenant: StepTenant): Promise<unknown>;
  giveTo(tenant: StepTenant, otherTenantId: string): Promise<unknown>;
  restore(tenant: StepTenant): Promise<unknown>;
}

const keys = [INSTALLATION_TAG, TENANT_TAG];

export function marksOfThings(world: KindWorld): MarkOfThing[] {
  return [...taggedThings(world), record(world), ...inDatabase(world)];
}

interface Tagger {
  readonly stepId: string;
  readonly type: string;
  readonly id: (tenant: StepTenant) => Promise<string>;
  readonly untag: (id: string) => Promise<unknown>;
  readonly tag: (id: string, tags: Record<string, string>) => Promise<unknown>;
}

function taggedThings(world: KindWorld): MarkOfThing[] {
  const arnOf = (stepId: string) => async (tenant: StepTenant) => (await tenant.outputs(stepId))['arn']!;
  const of = ({ stepId, type, id, tag, untag }: Tagger): MarkOfThing => ({
    stepId,
    type,
    strip: async (tenant) => untag(await id(tenant)),
    giveTo: async (tenant, other) => tag(await id(tenant), { [TENANT_TAG]: other }),
    restore: async (tenant) =>
      tag(await id(tenant), { [INSTALLATION_TAG]: world.installationId, [TENANT_TAG]: tenant.id }),
  });
  const ecs = {
    untag: (resourceArn: string) => new ECSClient(world.target).send(new UntagEcs({ resourceArn, tagKeys: keys })),
    tag: (resourceArn: string, tags: Record<string, string>) =>
      new ECSClient(world.target).send(
        new TagEcs({ resourceArn, tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }),
      ),
  };
  const pairs = (tags: Record<string, string>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const balancing = {
    untag: (arn: string) =>
      new ElasticLoadBalancingV2Client(world.target).send(
        new RemoveTagsCommand({ ResourceArns: [arn], TagKeys: keys }),
      ),
    tag: (arn: string, tags: Record<string, string>) =>
      new ElasticLoadBalancingV2Client(world.target).send(
        new AddTagsCommand({ ResourceArns: [arn], Tags: pairs(tags) }),
      ),
  };
  return [
    of({
      stepId: 'create_log_group:backend',
      type: 'logs:log-group',
      id: async (tenant) => (await world.aws.logs.findLogGroup(`/ecs/moamalat-${tenant.slug}-backend`))!.arn,
      untag: (resourceArn) =>
        new CloudWatchLogsClient(world.target).send(new UntagLogGroup({ resourceArn, tagKeys: keys })),
      tag: (resourceArn, tags) => new CloudWatchLogsClient(world.target).send(new TagLogGroup({ resourceArn, tags })),
    }),
    of({
      stepId: 'create_task_definition:backend',
      type: 'ecs:task-definition',
      id: arnOf('create_task_definition:backend'),
      ...ecs,
    }),
    of({ stepId: 'deploy_backend', type: 'ecs:service', id: arnOf('deploy_backend'), ...ecs }),
    of({
      stepId: 'create_target_group:backend',
      type: 'elbv2:target-group',
      id: arnOf('create_target_group:backend'),
      ...balancing,
    }),
    of({ stepId: 'create_alb_rule:backend', type: 'elbv2:rule', id: arnOf('create_alb_rule:backend'), ...balancing }),
    of({
      stepId: 'create_schema',
      type: 'secretsmanager:secret',
      id: (tenant) => Promise.resolve(secretName(world.installationId, tenant.id, 'create_schema')),
      untag: (SecretId) => new SecretsManagerClient(world.target).send(new UntagSecret({ SecretId, TagKeys: keys })),
      tag: (SecretId, tags) =>
        new SecretsManagerClient(world.target).send(new TagSecret({ SecretId, Tags: pairs(tags) })),
    }),
  ];
}

function record(world: KindWorld): MarkOfThing {
  const companion = async (tenant: StepTenant) =>
    (await recordsOf(world, tenant.host)).find((set) => set.Type === 'TXT')!;
  const write = (set: ResourceRecordSet, values: string[]) =>
    changeRecord(world, 'UPSERT', { ...set, ResourceRecords: values.map((Value) => ({ Value })) });
  const first = (set: ResourceRecordSet) => set.ResourceRecords![0]!.Value!;
  return {
    stepId: 'create_dns',
    type: 'route53:record',
    strip: async (tenant) => {
      const set = await companion(tenant);
      await write(set, [first(set), '"v=another-value"']);
    },
    giveTo: async (tenant, other) => {
      const set = await companion(tenant);
      await write(set, [first(set).replace(tenant.id, other)]);
    },
    restore: async (tenant) => {
      const set = await companion(tenant);
      await write(set, [first(set).replace(/:[0-9a-f-]{36}:moamalat/, `:${tenant.id}:moamalat`)]);
    },
  };
}

export function changeRecord(
  world: KindWorld,
  Action: 'CREATE' | 'UPSERT' | 'DELETE',
  set: ResourceRecordSet,
): Promise<unknown> {
  return new Route53Client(world.target).send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: world.cell.hostedZone.id,
      ChangeBatch: { Changes: [{ Action, ResourceRecordSet: set }] },
    }),
  );
}

/** The record sets at a host and at its companion. */
export async function recordsOf(world: KindWorld, host: string): Promise<ResourceRecordSet[]> {
  const answer = await new Route53Client(world.target).send(
    new ListResourceRecordSetsCommand({ HostedZoneId: world.cell.hostedZone.id, MaxItems: 300 }),
  );
  return (answer.ResourceRecordSets ?? []).filter(({ Name }) => Name === `${host}.` || Name === `_tenantry.${host}.`);
}

function inDatabase(world: KindWorld): MarkOfThing[] {
  const comment = async (tenant: StepTenant, write: (was: string) => string | null) => {
    const client = new pg.Client({ connectionString: world.databases.adminUrl });
    await client.connect();
    try {
      const name = schemaName(tenant.id);
      const { rows } = await client.query<{ mark: string }>(
        `select obj_description(oid, 'pg_namespace') as mark from pg_namespace where nspname = $1`,
        [name],
      );
      const text = write(rows[0]!.mark);
      await client.query(`comment on role ${name} is ${text === null ? 'null' : client.escapeLiteral(text)}`);
    } finally {
      await client.end();
    }
  };
  return [
    {
      stepId: 'create_schema',
      type: 'postgres:role',
      strip: (tenant) => comment(tenant, () => null),
      giveTo: (tenant, other) => comment(tenant, (was) => was.replace(tenant.id, other)),
      restore: (tenant) => comment(tenant, (was) => was),
    },
  ];
}
