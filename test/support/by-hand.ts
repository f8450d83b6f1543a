import { CloudWatchLogsClient, DeleteRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteServiceCommand, DeregisterTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  DeleteRuleCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import type { Platform } from '../../src/contracts/platform.ts';

/** A tenant that somebody changes past Tenantry. */
export interface ByHand {
  readonly platform: Platform;
  readonly gatewayUrl: string;
  /** Of the tenants' database, as superuser. */
  readonly databaseUrl: string;
  /** What its steps answered. */
  readonly steps: readonly { readonly stepId: string; readonly outputs?: Readonly<Record<string, unknown>> | null }[];
}

/** Deletes and changes a rule each, and a service, a revision, a retention and a login. */
export async function damage(tenant: ByHand): Promise<void> {
  const at = access(tenant);
  const [ecs, lb, logs] = [
    new ECSClient(at),
    new ElasticLoadBalancingV2Client(at),
    new CloudWatchLogsClient(at),
  ] as const;
  await lb.send(new DeleteRuleCommand({ RuleArn: made(tenant, 'create_alb_rule:backend', 'arn') }));
  const Conditions = [{ Field: 'host-header', Values: ['by-hand.example.com'] }];
  await lb.send(new ModifyRuleCommand({ RuleArn: made(tenant, 'create_alb_rule:frontend', 'arn'), Conditions }));
  const service = made(tenant, 'deploy_frontend', 'name');
  await ecs.send(new DeleteServiceCommand({ cluster: tenant.platform.cells[0]?.cluster, service, force: true }));
  const taskDefinition = made(tenant, 'create_task_definition:backend', 'arn');
  await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
  const logGroupName = made(tenant, 'create_log_group:backend', 'name');
  await logs.send(new DeleteRetentionPolicyCommand({ logGroupName }));
  for (const client of [ecs, lb, logs]) client.destroy();
  await inTenantDatabase(tenant, `alter role "${made(tenant, 'create_schema', 'role')}" nologin`);
}

/** With no way to have it back, as Secrets Manager does by force. */
export async function deleteSecret(tenant: ByHand, stepId: string): Promise<void> {
  const secrets = new SecretsManagerClient(access(tenant));
  const SecretId = made(tenant, stepId, 'secretArn');
  await secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
  secrets.destroy();
}

export async function inTenantDatabase(
  { databaseUrl }: Pick<ByHand, 'databaseUrl'>,
  sql: string,
): Promise<Record<string, unknown>[]> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    return (await database.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await database.end();
  }
}

function access({ platform, gatewayUrl }: ByHand) {
  const { accountId: accessKeyId = '', region = '' } = platform.cells[0] ?? {};
  return { endpoint: gatewayUrl, region, credentials: { accessKeyId, secretAccessKey: 'test' } };
}

function made({ steps }: ByHand, stepId: string, output: string): string {
  return String(steps.find((step) => step.stepId === stepId)?.outputs?.[output]);
}
