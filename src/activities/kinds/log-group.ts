import { describeHolder, findOwner, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { Kind, StepContext } from '../kind.ts';
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
    const found = await findOwn(context);
    return found
      ? { status: 'ready', detail: `log group ${found.name} is there` }
      : { status: 'absent', detail: `no log group ${context.spec.name} of this tenant` };
  },

  deletesByName: true,

  async remove(context) {
    const { aws, previous, spec } = context;
    const found = await aws.logs.findLogGroup(spec.name);
    // Right after we made it the list may not hold it yet; what is not there cannot be somebody else's either.
    const isOurs = found ? isOwnedBy(found.tags, ownerOf(context.tags)) : previous.name === spec.name;
    if (isOurs) await aws.logs.deleteLogGroup(spec.name);
    return { status: 'removed', ...(!found && !isOurs && { missing: true }) };
  },
};

async function findOwn({ aws, spec, tags }: StepContext<'log-group'>) {
  const found = await aws.logs.findLogGroup(spec.name);
  return found && isOwnedBy(found.tags, ownerOf(tags)) ? found : undefined;
}
