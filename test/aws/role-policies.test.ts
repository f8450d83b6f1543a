import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startMinistack, type Ministack } from '../../sandbox/parts/ministack.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { PREVIOUS } from '../../src/aws/secret-versions.ts';
import { statementsOf } from '../../src/iam/policies.ts';
import type { WorkerRole } from '../../src/iam/roles.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import { ownershipTags, secretName } from '../../src/naming.ts';
import { exampleCell } from '../support/platform.ts';

const region = 'us-east-1';
const administrator = { accessKeyId: 'test', secretAccessKey: 'test' };
const ids = {
  installationId: '11111111-1111-4111-8111-111111111111',
  tenantId: '22222222-2222-4222-8222-222222222222',
};
const tags = ownershipTags({
  ...ids,
  product: 'moamalat',
  operationId: '33333333-3333-4333-8333-333333333333',
  stepId: 's',
});
const ofAccount = (service: string, resource: string) => `arn:aws:${service}:${region}:000000000000:${resource}`;

/** What the emulator can tell apart; grants on other things are left out. */
const places: Readonly<Record<string, readonly string[]>> = {
  log_groups: [ofAccount('logs', 'log-group:/ecs/*'), ofAccount('logs', 'log-group:/ecs/*:*')],
  tenant_secrets_arn: [ofAccount('secretsmanager', 'secret:tenantry/*')],
};

let ministack: Ministack;
let iam: IAMClient;
let logs: CloudWatchLogsClient;
let secrets: SecretsManagerClient;
const opened: CellAws[] = [];

beforeAll(async () => {
  ministack = await startMinistack({ log: () => undefined, enforcesIam: true });
  const target = { endpoint: ministack.url, region, credentials: administrator };
  iam = new IAMClient(target);
  logs = new CloudWatchLogsClient(target);
  secrets = new SecretsManagerClient(target);
});
afterAll(async () => {
  for (const one of [iam, logs, secrets, ...opened]) one.destroy();
  await ministack.stop();
});

/** The cell as a user sees it that has the role's policy, and no other. */
async function cellAs(role: WorkerRole): Promise<CellAws> {
  const statements = statementsOf(role, builtInKinds).flatMap((statement) => {
    const on = statement.Resource === '*' ? ['*'] : statement.Resource.flatMap((name) => places[name] ?? []);
    return on.length === 0 ? [] : [{ ...statement, Resource: on }];
  });
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: role, PolicyDocument }));
  await iam.send(new CreateUserCommand({ UserName: role }));
  await iam.send(new AttachUserPolicyCommand({ UserName: role, PolicyArn: Policy?.Arn }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: role }));
  const credentials = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  const aws = createCellAws(exampleCell(), { endpointUrl: ministack.url, credentials });
  opened.push(aws);
  return aws;
}

const denied = { code: 'ACCESS_DENIED' };

describe('the policy of provisioning, enforced', () => {
  let aws: CellAws;
  beforeAll(async () => {
    aws = await cellAs('provisioning');
  });

  it('lets log groups of tenants be made, found, listed, changed and deleted', async () => {
    await aws.logs.createLogGroup('/ecs/acme', tags);
    await aws.logs.setRetention('/ecs/acme', 7);
    expect(await aws.logs.findLogGroup('/ecs/acme')).toMatchObject({ retentionDays: 7, tags });
    expect(await aws.inventory.logGroups.list(() => false)).toHaveLength(1);
    await aws.logs.deleteLogGroup('/ecs/acme');
    expect(await aws.logs.findLogGroup('/ecs/acme')).toBeUndefined();
  });

  it('lets none be made without the mark of a tenant, and none of others be touched', async () => {
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/aws/others' }));
    await expect(aws.logs.createLogGroup('/ecs/plain', {})).rejects.toMatchObject(denied);
    await expect(aws.logs.createLogGroup('/aws/acme', tags)).rejects.toMatchObject(denied);
    await expect(aws.logs.deleteLogGroup('/aws/others')).rejects.toMatchObject(denied);
  });

  it('lets no secret be read', async () => {
    await secrets.send(new CreateSecretCommand({ Name: 'tenantry/of-data', SecretString: 'secret' }));
    await expect(aws.secrets.readSecret('tenantry/of-data')).rejects.toMatchObject(denied);
  });
});

describe('the policy of data, enforced', () => {
  let aws: CellAws;
  beforeAll(async () => {
    aws = await cellAs('data');
  });

  it('lets secrets of tenants live', async () => {
    const name = secretName(ids.installationId, ids.tenantId, 'schema');
    const { arn } = await aws.secrets.ensureSecret({ name, value: 'one', tags, token: 'a'.repeat(32) });
    await aws.secrets.addVersion({ arn, value: 'two', token: 'b'.repeat(32) });
    expect(await aws.secrets.readSecret(arn)).toBe('two');
    const before = (await aws.secrets.findSecret(arn))?.versions[PREVIOUS] ?? '';
    await aws.secrets.forgetPrevious({ arn, versionId: before });
    expect((await aws.secrets.findSecret(arn))?.versions).not.toHaveProperty(PREVIOUS);
    expect(await aws.inventory.secrets.list(() => false)).not.toHaveLength(0);
    expect(await aws.secrets.scheduleDeletion(arn, { recoveryDays: 7, tags })).toMatchObject({ arn });
    expect(await aws.secrets.ensureSecret({ name, value: 'three', tags, token: 'c'.repeat(32) })).toMatchObject({
      arn,
    });
  });

  it('lets no value be put into a secret without the mark of a tenant, and none be made elsewhere', async () => {
    const { ARN = '' } = await secrets.send(
      new CreateSecretCommand({ Name: 'tenantry/plain', SecretString: 'secret' }),
    );
    await expect(aws.secrets.addVersion({ arn: ARN, value: 'mine', token: 'd'.repeat(32) })).rejects.toMatchObject(
      denied,
    );
    const elsewhere = { name: 'others/secret', value: 'one', tags, token: 'e'.repeat(32) };
    await expect(aws.secrets.ensureSecret(elsewhere)).rejects.toMatchObject(denied);
  });

  it('lets no log group be deleted', async () => {
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/ecs/of-provisioning' }));
    await expect(aws.logs.deleteLogGroup('/ecs/of-provisioning')).rejects.toMatchObject(denied);
  });
});
