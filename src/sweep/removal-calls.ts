import { isCellAlias, isCompanion } from '../aws/inventory/records.ts';
import type { Cell } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import { parseOwnershipMarker, schemaName } from '../naming.ts';
import type { SweepDeps } from './dependencies.ts';
import { ownerIn } from './identity.ts';

/** How long a deleted secret can still be brought back, in days: the longest that AWS offers. */
const RECOVERY_DAYS = 30;

export interface RemovalCall {
  readonly deps: Pick<SweepDeps, 'aws' | 'tenantDatabases'>;
  readonly cell: Cell;
  readonly item: SweptItem;
  /** Awaited before what is no AWS call; throws when the thing is not ours to take any more. */
  readonly guard: () => Promise<void>;
}

/** Takes one thing away that was just looked at; answers what was done. @throws StepError */
export async function takeAway({ deps, cell, item, guard }: RemovalCall): Promise<string> {
  const aws = deps.aws(cell.id);
  switch (item.type) {
    case 'route53:record':
      return deleteRecords(deps, cell, item);
    case 'elbv2:rule':
      await aws.loadBalancing.deleteRule(item.physicalId);
      return 'the rule was deleted';
    case 'ecs:service':
      return (await aws.ecs.deleteService(item.name)) ? 'the service was deleted and drains' : 'it was gone already';
    case 'elbv2:target-group':
      await aws.loadBalancing.deleteTargetGroup(item.physicalId);
      return 'the target group was deleted';
    case 'ecs:task-definition':
      await aws.ecs.deregisterTaskDefinition(item.physicalId);
      return 'the revision was deregistered';
    case 'logs:log-group':
      await aws.logs.deleteLogGroup(item.name);
      return 'the log group was deleted';
    case 'secretsmanager:secret': {
      const options = { recoveryDays: RECOVERY_DAYS, tags: item.tags ?? {} };
      const scheduled = await aws.secrets.scheduleDeletion(item.physicalId, options);
      return scheduled ? `it can be restored until ${scheduled.deletionDate.toISOString()}` : 'it was gone already';
    }
    case 'postgres:schema':
      return dropSchema({ deps, cell, item, guard });
  }
}

/** Exactly our records of the host, with their exact values: a batch about anything else fails. */
async function deleteRecords(deps: RemovalCall['deps'], cell: Cell, item: SweptItem): Promise<string> {
  const { dns } = deps.aws(cell.id);
  const zone = cell.hostedZone.id;
  const owner = ownerIn(item.tags ?? {});
  const companions = (await dns.findRecords(zone, `_tenantry.${item.name}`)).filter((record) => {
    const mark = parseOwnershipMarker((record.values[0] ?? '').replace(/^"|"$/g, ''));
    const isOwn = mark?.installationId === owner.installationId && mark?.tenantId === owner.tenantId;
    return isCompanion(record) && record.values.length === 1 && isOwn;
  });
  if (companions.length === 0) return 'it was gone already';
  const aliases = (await dns.findRecords(zone, item.name)).filter((record) => isCellAlias(record, cell));
  const records = [...aliases, ...companions];
  await dns.change(
    zone,
    records.map((record) => ({ action: 'DELETE', record })),
  );
  return `deleted ${records.map(({ name, type }) => `${name} ${type}`).join(', ')}`;
}

async function dropSchema({ deps, item, guard }: RemovalCall): Promise<string> {
  const { installationId = '', tenantId = '', product = '', operationId = '', stepId = '' } = ownerIn(item.tags ?? {});
  const database = item.physicalId.slice(0, item.physicalId.indexOf('/'));
  const name = schemaName(tenantId);
  const ownership = { installationId, tenantId, product, operationId, stepId };
  await deps.tenantDatabases.dropSchemaAndRole({ database, name, ownership }, guard);
  return `schema and role ${name} were dropped`;
}
