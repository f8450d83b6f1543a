import type { CellAws } from '../aws/cell-aws.ts';
import type { SweptItem } from '../contracts/sweep.ts';

/** Why a thing is in use right now, so that nobody may take it away; undefined when it is not. @throws StepError */
export async function useOf(aws: Pick<CellAws, 'inventory'>, item: SweptItem): Promise<string | undefined> {
  const { inventory } = aws;
  switch (item.type) {
    case 'route53:record':
      return behind(aws, `a rule for ${item.name}`, await inventory.targetGroupsBehind(item.name));
    case 'elbv2:rule':
      return behind(aws, 'it', await inventory.targetGroupsOfRule(item.physicalId));
    case 'elbv2:target-group': {
      const serving = await inventory.servingTargets(item.physicalId);
      return serving.length === 0 ? undefined : `its target ${serving[0] ?? ''}`;
    }
    case 'ecs:service': {
      const use = await inventory.serviceUse(item.physicalId);
      if (!use || use.running === 0) return undefined;
      return behind(aws, `it runs ${use.running} tasks and`, use.targetGroupArns);
    }
    case 'ecs:task-definition': {
      const services = await inventory.servicesUsing(item.physicalId);
      return services.length === 0 ? undefined : `service ${services.join(', ')} uses it`;
    }
    case 'logs:log-group': {
      // Every log group of ours is named after the service that writes to it.
      const use = await inventory.serviceUse(item.name.replace(/^\/ecs\//, ''));
      return use && use.running > 0 ? `the service of its name runs ${use.running} tasks` : undefined;
    }
    // A schema's sessions are in its fingerprint's place: see removal-calls.ts. A secret comes back within its window.
    case 'secretsmanager:secret':
    case 'postgres:schema':
      return undefined;
  }
}

async function behind(
  { inventory }: Pick<CellAws, 'inventory'>,
  what: string,
  targetGroupArns: readonly string[],
): Promise<string | undefined> {
  for (const arn of targetGroupArns) {
    const [serving] = await inventory.servingTargets(arn);
    if (serving !== undefined) return `${what} forwards to ${arn}, whose target ${serving}`;
  }
  return undefined;
}
