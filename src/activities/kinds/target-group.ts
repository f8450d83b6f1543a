import type { TargetGroup } from '../../aws/elbv2-target-groups.ts';
import { describeHolder, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import { targetGroupName } from '../../naming.ts';
import type { Kind, StepContext } from '../kind.ts';
import type { OthersJudged } from '../ownership.ts';
import { StepError } from '../../contracts/step-error.ts';

/** How long a target that leaves still gets its open requests, in s; AWS's own default is 300. */
const DEREGISTRATION_DELAY_SECONDS = 30;

/** A target group of type ip over HTTP (requirement U-24). */
export const targetGroup: Kind<'target-group'> = {
  resources: (context) => [{ type: 'elbv2:target-group', name: nameOf(context) }],

  fingerprint: ({ cell }) => Promise.resolve(cell.vpcId),

  async ensure(context) {
    const { aws, cell, spec, tags } = context;
    const name = nameOf(context);
    const found = await aws.loadBalancing.findTargetGroup(name);
    if (found && !isOwnedBy(found.tags, ownerOf(tags))) {
      throw new StepError('OWNERSHIP_CONFLICT', `target group "${name}" is somebody else's`, {
        detail: `${found.arn}: ${describeHolder(found.tags)}`,
      });
    }
    if (found) await converge(context, found);
    const arn =
      found?.arn ??
      (await aws.loadBalancing.createTargetGroup({
        name,
        vpcId: cell.vpcId,
        port: spec.port,
        healthPath: spec.healthPath,
        tags,
      }));
    // Also on one that was there: an attempt may have ended between the two calls.
    await aws.loadBalancing.setDeregistrationDelay(arn, DEREGISTRATION_DELAY_SECONDS);
    return { status: 'ready', outputs: { arn, name }, physicalIds: { [name]: arn } };
  },

  async observe(context) {
    const found = await context.aws.loadBalancing.findTargetGroup(nameOf(context));
    const others = await othersIn(context, found);
    return found && others.count === 0
      ? { status: 'ready', detail: `target group ${found.name} is there` }
      : { status: 'absent', detail: `no target group ${nameOf(context)} of this tenant`, others };
  },

  async remove(context) {
    const found = await context.aws.loadBalancing.findTargetGroup(nameOf(context));
    const others = await othersIn(context, found);
    // Right after it was made a look by name may not show it yet. No ARN is given twice.
    const arn = found && others.count === 0 ? found.arn : context.previous.arn;
    if (arn !== undefined) await context.aws.loadBalancing.deleteTargetGroup(arn);
    return { status: 'removed', others, ...(!found && arn === undefined && { missing: true }) };
  },
};

/** Its port is not looked at: it is that of targets registered without one, and ECS names the container's. */
async function converge({ aws, cell, spec }: StepContext<'target-group'>, found: TargetGroup): Promise<void> {
  if (found.vpcId !== undefined && found.vpcId !== cell.vpcId) {
    throw new StepError(
      'OUTSIDE_CELL',
      `target group "${found.name}" lies in VPC ${found.vpcId}, and cell ${cell.id} is in ${cell.vpcId} now: AWS cannot move it. Correct the platform description, or make the tenant anew`,
      { detail: found.arn },
    );
  }
  if (found.healthPath !== spec.healthPath) await aws.loadBalancing.setHealthPath(found.arn, spec.healthPath);
}

function nameOf({ installationId, tenant, spec }: StepContext<'target-group'>): string {
  return targetGroupName(installationId, tenant.id, spec.component);
}

function othersIn(
  { notOurs, tags }: StepContext<'target-group'>,
  found: TargetGroup | undefined,
): Promise<OthersJudged> {
  if (!found || isOwnedBy(found.tags, ownerOf(tags))) return notOurs([]);
  const { arn: physicalId, name } = found;
  return notOurs([{ type: 'elbv2:target-group', name, physicalId, mark: describeHolder(found.tags) }]);
}
