import { z } from 'zod';
import type { TargetGroup } from '../../aws/elbv2-target-groups.ts';
import { HEALTH_CHECK, type HealthCheck } from '../../aws/target-group-health.ts';
import type { Cell } from '../../contracts/platform.ts';
import { isSameJson } from '../../contracts/stable-json.ts';
import { StepError } from '../../contracts/step-error.ts';
import { targetGroupName } from '../../naming.ts';
import { defineKind } from '../framework/define-kind.ts';
import { changedFields } from '../framework/differences.ts';
import { label, path } from '../framework/values.ts';
import { targetGroupType } from './type.ts';

/** How long a target that leaves still gets its open requests, in s; AWS's own default is 300. */
const DEREGISTRATION_DELAY_SECONDS = 30;

/** The first two components that there were have short forms in their groups' names, which are nobody else's. */
const component = label.refine((name) => name !== 'be' && name !== 'fe', 'is the short form of another component');

type Group = Pick<TargetGroup, 'name' | 'vpcId' | 'healthPath' | 'tags'> &
  Partial<Pick<TargetGroup, 'healthCheck' | 'port' | 'protocol' | 'targetType'>> & { readonly physicalId: string };

/** A target group of type ip over HTTP (requirement U-24). */
export const targetGroup = defineKind({
  name: 'target-group',
  type: 'elbv2:target-group',
  noun: 'target group',
  swept: targetGroupType,
  changeable: ['healthPath'],
  loadBalancerShare: { targetGroups: 1 },
  spec: z.strictObject({ component, port: z.int().min(1).max(65535), healthPath: path }),
  outputs: z.strictObject({ arn: z.string(), name: z.string() }),
  inCell: () => [],
  permissions: [
    'elasticloadbalancing:DescribeTargetGroups',
    'elasticloadbalancing:DescribeTags',
    'elasticloadbalancing:DescribeTargetGroupAttributes',
    'elasticloadbalancing:CreateTargetGroup',
    'elasticloadbalancing:AddTags',
    'elasticloadbalancing:ModifyTargetGroup',
    'elasticloadbalancing:ModifyTargetGroupAttributes',
    'elasticloadbalancing:DeleteTargetGroup',
  ],
  namedBy: ({ component }) => component,
  nameOf: ({ installationId, tenant, spec }) => targetGroupName(installationId, tenant.id, spec.component),
  fingerprint: ({ cell }) => cell.vpcId,
  async find({ aws }, name) {
    const found = await aws.loadBalancing.findTargetGroup(name);
    return found && { ...found, physicalId: found.arn };
  },
  async create({ aws, cell, spec, tags }, name): Promise<Group> {
    const { port, healthPath } = spec;
    const { vpcId } = cell;
    const arn = await aws.loadBalancing.createTargetGroup({ name, vpcId, port, healthPath, tags });
    return { physicalId: arn, name, vpcId, healthPath, tags };
  },
  /** Its port is not looked at: it is that of targets registered without one, and ECS names the container's. */
  async converge({ aws, cell, spec }, found: Group) {
    refuseOtherNetwork(cell, found);
    const { physicalId: arn, healthPath, healthCheck = HEALTH_CHECK } = found;
    if (healthPath !== spec.healthPath || !isSameJson(healthCheck, HEALTH_CHECK))
      await aws.loadBalancing.setHealthCheck(arn, spec.healthPath);
    // Also on one that was there: an attempt may have ended between the two calls.
    await aws.loadBalancing.setDeregistrationDelay(arn, DEREGISTRATION_DELAY_SECONDS);
  },
  async differs({ aws, cell, spec }, found) {
    const { healthCheck = HEALTH_CHECK, healthPath, physicalId: arn, protocol, port, targetType, vpcId } = found;
    const checks = Object.entries(HEALTH_CHECK).map(
      ([field, wanted]) => [`healthCheck.${field}`, [wanted, healthCheck[field as keyof HealthCheck]]] as const,
    );
    const delay = await aws.loadBalancing.findDeregistrationDelay(arn);
    // AWS changes none of these: the group was made anew by somebody.
    const fixed = changedFields({
      protocol: ['HTTP', protocol],
      port: [spec.port, port],
      targetType: ['ip', targetType],
      vpcId: [cell.vpcId, vpcId],
    });
    return [
      ...fixed.map((one) => ({ ...one, remedy: 'hand' }) as const),
      ...changedFields({ healthPath: [spec.healthPath, healthPath], ...Object.fromEntries(checks) }),
      ...changedFields({ deregistrationDelaySeconds: [DEREGISTRATION_DELAY_SECONDS, delay] }),
    ];
  },
  outputsOf: (_, { name, physicalId: arn }) => ({ arn, name }),
  idIn: ({ arn }) => arn,
  remove: ({ aws }, arn) => aws.loadBalancing.deleteTargetGroup(arn),
});

function refuseOtherNetwork(cell: Cell, { name, physicalId, vpcId }: Group): void {
  if (vpcId === undefined || vpcId === cell.vpcId) return;
  throw new StepError(
    'OUTSIDE_CELL',
    `target group "${name}" lies in VPC ${vpcId}, and cell ${cell.id} is in ${cell.vpcId} now: AWS cannot move it. Correct the platform description, or make the tenant anew`,
    { detail: physicalId },
  );
}
