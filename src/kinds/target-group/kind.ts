import { z } from 'zod';
import type { TargetGroup } from '../../aws/elbv2-target-groups.ts';
import type { Cell } from '../../contracts/platform.ts';
import { StepError } from '../../contracts/step-error.ts';
import { targetGroupName } from '../../naming.ts';
import { defineKind } from '../framework/define-kind.ts';
import { label, path } from '../framework/values.ts';
import { targetGroupType } from './type.ts';

/** How long a target that leaves still gets its open requests, in s; AWS's own default is 300. */
const DEREGISTRATION_DELAY_SECONDS = 30;

/** The first two components that there were have short forms in their groups' names, which are nobody else's. */
const component = label.refine((name) => name !== 'be' && name !== 'fe', 'is the short form of another component');

type Group = Pick<TargetGroup, 'name' | 'vpcId' | 'healthPath' | 'tags'> & { readonly physicalId: string };

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
    const { physicalId: arn, healthPath } = found;
    if (healthPath !== spec.healthPath) await aws.loadBalancing.setHealthPath(arn, spec.healthPath);
    // Also on one that was there: an attempt may have ended between the two calls.
    await aws.loadBalancing.setDeregistrationDelay(arn, DEREGISTRATION_DELAY_SECONDS);
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
