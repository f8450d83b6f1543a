import { fileURLToPath } from 'node:url';
import { DeleteRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { takeInventory } from '../inventory/inventory.ts';
import { createClients, destroyClients } from '../landing-zone/clients.ts';
import { startChild } from '../parts/child.ts';
import type { Parts } from '../stack/parts.ts';

/** Somebody deletes the rule of a tenant's service and the retention of its log, past Tenantry. */
export async function changeByHand(
  { env, oracleDatabaseUrl }: Parts,
  tenantId: string,
  service: string,
): Promise<void> {
  const gatewayUrl = env.AWS_ENDPOINT_URL ?? '';
  const items = await takeInventory({ gatewayUrl, databaseUrl: oracleDatabaseUrl, scope: 'tenants' });
  const own = (kind: string) =>
    items.find((item) => item.kind === kind && item.owner?.tenantId === tenantId && item.owner.step?.endsWith(service));
  const [rule, log] = [own('elbv2:rule'), own('logs:log-group')];
  const clients = createClients({ endpointUrl: gatewayUrl, region: env.AWS_REGION ?? '' });
  try {
    if (rule) await clients.elb.send(new DeleteRuleCommand({ RuleArn: rule.id }));
    if (log) await clients.logs.send(new DeleteRetentionPolicyCommand({ logGroupName: log.name ?? log.id }));
  } finally {
    destroyClients(clients);
  }
}

/** `tenantry drift` of one tenant, as an operator runs it: prints what differs, and answers whether anything does. */
export async function lookForDrift({ env }: Parts, tenantId: string): Promise<boolean> {
  const cli = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
  const child = await startChild({
    name: 'tenantry drift',
    command: process.execPath,
    args: [cli, 'drift', '--tenant', tenantId],
    env: { ...process.env, ...env },
  });
  const { code } = await child.exited;
  console.log(child.output().trimEnd().replace(/^/gm, '  '));
  return code !== 0;
}
