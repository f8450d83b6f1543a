import { ROLLOUT, type EcsService, type ServiceTarget } from '../../aws/ecs-service.ts';
import type { Difference } from '../../contracts/drift.ts';
import { asSet, changedFields } from '../framework/differences.ts';
import type { ServiceContext } from './spec.ts';

/** What sets a tenant's service apart from its spec. Pure. */
export function serviceDifferences(
  { cell, spec }: Pick<ServiceContext, 'cell' | 'spec'>,
  found: EcsService,
): Difference[] {
  const { network, rollout = ROLLOUT } = found;
  return [
    ...changedFields({
      status: ['ACTIVE', found.status],
      taskDefinitionArn: [spec.taskDefinitionArn, found.taskDefinitionArn],
      subnetIds: [asSet(cell.subnetIds), asSet(network?.subnetIds)],
      securityGroupIds: [asSet(cell.securityGroupIds), asSet(network?.securityGroupIds)],
      assignPublicIp: [false, network?.assignPublicIp],
      healthCheckGraceSeconds: [spec.healthCheckGraceSeconds, found.healthCheckGraceSeconds],
      'rollout.circuitBreaker': [ROLLOUT.circuitBreaker, rollout.circuitBreaker],
      'rollout.minimumHealthyPercent': [ROLLOUT.minimumHealthyPercent, rollout.minimumHealthyPercent],
      'rollout.maximumPercent': [ROLLOUT.maximumPercent, rollout.maximumPercent],
    }),
    ...targetDifferences(spec, found.targets),
    ...countDifferences(spec.desiredCount, found.desiredCount),
  ];
}

function targetDifferences(spec: ServiceContext['spec'], found: readonly ServiceTarget[]): Difference[] {
  const { targetGroupArn, containerName, containerPort } = spec;
  const wanted = `${containerName}:${containerPort} in ${targetGroupArn}`;
  const seen = found.map((one) => `${one.containerName}:${one.containerPort} in ${one.targetGroupArn ?? '(none)'}`);
  if (!seen.includes(wanted)) return changedFields({ loadBalancer: [wanted, seen] });
  return seen.filter((one) => one !== wanted).map((one) => ({ is: 'extra', field: 'loadBalancer', found: one }));
}

/** How many tasks run is whoever's who scales the service; that none does is not scaling. */
function countDifferences(wanted: number, found: number): Difference[] {
  return wanted > 0 === found > 0 ? [] : changedFields({ desiredCount: [wanted, found] });
}
