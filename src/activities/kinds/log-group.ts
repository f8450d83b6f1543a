import { describeHolder, findOwner, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { LogGroup } from '../../aws/cloudwatch-logs.ts';
import type { Kind, StepContext } from '../kind.ts';
import type { OthersJudged } from '../ownership.ts';
import { refusalOf } from './foreign.ts';

/** A CloudWatch log group with its retention. */
export const logGroup: Kind<'log-group'> = {
  resources: ({ spec }) => [{ type: 'logs:log-group', name: spec.name }],

  async ensure(context) {
    const { aws, spec, tags } = context;
    const found = await aws.logs.findLogGroup(spec.name);
    if (found && !isOwnedBy(found.tags, ownerOf(tags))) {
      throw await refusalOf(context, {
        resource: { type: 'logs:log-group', name: spec.name },
        message: `log group "${spec.name}" is somebody else's`,
        detail: `${found.arn}: ${describeHolder(found.tags)}`,
        owner: findOwner(found.tags),
      });
    }
    if (!found) await aws.logs.createLogGroup(spec.name, tags);
    if (found?.retentionDays !== spec.retentionDays) await aws.logs.setRetention(spec.name, spec.retentionDays);
    return { status: 'ready', outputs: { name: spec.name } };
  },

  async observe(context) {
    const found = await context.aws.logs.findLogGroup(context.spec.name);
    const others = await othersIn(context, found);
    return found && others.count === 0
      ? { status: 'ready', detail: `log group ${found.name} is there` }
      : { status: 'absent', detail: `no log group ${context.spec.name} of this tenant`, others };
  },

  deletesByName: true,

  async remove(context) {
    const { aws, previous, spec } = context;
    const found = await aws.logs.findLogGroup(spec.name);
    const others = await othersIn(context, found);
    // Right after we made it the list may not hold it yet; what is not there cannot be somebody else's either.
    const isOurs = found ? others.count === 0 : previous.name === spec.name;
    if (isOurs) await aws.logs.deleteLogGroup(spec.name);
    return { status: 'removed', others, ...(!found && !isOurs && { missing: true }) };
  },
};

function othersIn({ notOurs, tags }: StepContext<'log-group'>, found: LogGroup | undefined): Promise<OthersJudged> {
  if (!found || isOwnedBy(found.tags, ownerOf(tags))) return notOurs([]);
  const { arn: physicalId, createdAt, name } = found;
  return notOurs([{ type: 'logs:log-group', name, physicalId, createdAt, mark: describeHolder(found.tags) }]);
}
