import type { Parameter } from '../../aws/ssm-marked.ts';
import { describeHolder, findOwner, INSTALLATION_TAG, isOwnedBy, ownerOf, TENANT_TAG } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import { readClock } from '../../db/clock.ts';
import { markerOfTags } from '../../naming.ts';
import { readLease } from '../account-lease/lease.ts';
import { changedFields } from '../framework/differences.ts';
import { refusalOf } from '../framework/foreign.ts';
import type { Kind, Observation } from '../framework/kind.ts';
import {
  statusOutputs,
  statusSpec,
  type StatusContext as Context,
  type StatusOutputs,
  type StatusSpec,
} from './spec.ts';
import { lastWordOf } from './words.ts';

/**
 * A word in a parameter that another step makes (`ssm-parameters`, with an initial value): what the tenant is at, for whoever reads it in
 * SSM. It makes nothing of its own. Its removal says why the tenant goes, and is over once nobody can go by an earlier word any more.
 */
export const ssmStatus: Kind<StatusSpec, StatusOutputs, never> = {
  name: 'ssm-status',
  spec: statusSpec,
  outputs: statusOutputs,
  changeable: ['ready', 'failed', 'removing', 'drainSeconds', 'drainParameter'],
  types: {},
  // A word that comes late would make the parameter anew once the step that owns it has removed it.
  deletesByName: true,
  permissions: [
    'ssm:GetParameters',
    'ssm:ListTagsForResource',
    'ssm:DescribeParameters',
    'ssm:PutParameter',
    'ssm:AddTagsToResource',
  ],
  calls: {
    ensure: ['ssm:PutParameter', 'ssm:AddTagsToResource'],
    remove: ['ssm:PutParameter', 'ssm:AddTagsToResource'],
  },
  // The parameter of the drain may say a day.
  profiles: () => ({ gone: { usualMs: 10_000, deadlineMs: 25 * 60 * 60_000 } }),
  inCell: ({ path }, within) => within.tenantId(path),
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const { ready, statusParameter } = context.spec;
    const found = await lookAt(context, statusParameter);
    if (!found)
      throw new StepError('CONFLICT_RETRYABLE', `parameter ${nameOf(context, statusParameter)} is not there (yet)`, {
        detail: 'another step makes it; this one only writes its value',
      });
    if (!isOwn(context, found)) throw await refusal(context, found);
    if (ready !== undefined) await say(context, found, ready);
    return { status: 'ready', outputs: { name: found.name } };
  },

  async observe(context): Promise<Observation> {
    const { failed, ready, removing, statusParameter } = context.spec;
    const found = await lookAt(context, statusParameter);
    const word = ownValue(context, found);
    const detail = `parameter ${nameOf(context, statusParameter)} ${saidIn(found, word)}`;
    if (context.removingAt === undefined) {
      if (word === undefined) return { status: 'absent', detail, others: await context.notOurs([]) };
      return { status: ready === undefined || word === ready ? 'ready' : 'pending', detail };
    }
    // Written by hand, or by an attempt that came late: it is to be said again.
    if (word !== undefined && word !== failed && word !== removing) return { status: 'ready', detail };
    const until = await drainsUntil(context);
    if (until) return { status: 'pending', detail: `${detail}; others may go by an earlier word until ${until}` };
    return { status: 'absent', detail, others: await context.notOurs([]) };
  },

  // Whether the parameter is there, and whose it is, is told by the step that makes it.
  async differs(context) {
    const { ready, statusParameter } = context.spec;
    const word = ownValue(context, await lookAt(context, statusParameter));
    return ready === undefined || word === undefined ? [] : changedFields({ [statusParameter]: [ready, word] });
  },

  async remove(context) {
    const { statusParameter } = context.spec;
    const found = await lookAt(context, statusParameter);
    if (found && findOwner(found.tags) === undefined) throw lostMark(context, found);
    if (found && isOwn(context, found)) await sayLast(context, found);
    if (context.removal.noted()[SINCE] === undefined) await noteSince(context);
    const isPending = (await drainsUntil(context)) !== undefined;
    return {
      status: isPending ? 'pending' : 'removed',
      others: await context.notOurs([]),
      ...(!found && { missing: true }),
    };
  },
};

/** When the last word was written, or was found there, by PostgreSQL's clock. */
const SINCE = 'since';

/** How many seconds the drain takes; '' where there is none. */
const DRAIN = 'drain';

async function noteSince(context: Context): Promise<void> {
  const { aws, db, removal, spec, tenant } = context;
  const { drainParameter, drainSeconds } = spec;
  const isRead = drainParameter !== undefined && drainSeconds !== undefined && tenant.everActive;
  // Before the time counts: it is not known how long it would be.
  const drain = isRead ? await readLease(aws, drainParameter, drainSeconds) : drainSeconds;
  await removal.note({ [DRAIN]: String(drain ?? ''), [SINCE]: (await readClock(db)).toISOString() });
}

/** The error first: who reads that it failed finds why. */
async function sayLast(context: Context, status: Parameter): Promise<void> {
  const word = await lastWordOf(context);
  const error = word.error === undefined ? undefined : await lookAt(context, context.spec.errorParameter);
  if (error && word.error !== undefined && isOwn(context, error)) await say(context, error, word.error);
  if (status.value === word.status) return;
  // Should its answer be lost, the time counts from when it was found there.
  await context.removal.note({ [SINCE]: null });
  await say(context, status, word.status);
}

/** Until when others may still go by what they read before; undefined: not any more. */
async function drainsUntil({ db, removal, spec, tenant }: Context): Promise<string | undefined> {
  const { [DRAIN]: drain, [SINCE]: since } = removal.noted();
  if (spec.drainSeconds === undefined || !tenant.everActive || since === undefined) return undefined;
  const seconds = Math.max(spec.drainSeconds, Number(drain ?? 0));
  const until = new Date(Date.parse(since) + seconds * 1_000);
  return (await readClock(db)) < until ? until.toISOString() : undefined;
}

/** Writes the value of a parameter that is the tenant's. */
async function say({ aws, tags }: Context, found: Parameter, value: string): Promise<void> {
  const { isMarkedByTags, name, type } = found;
  if (type !== 'String')
    throw new StepError('INVALID_REQUEST', `parameter ${name} is a ${type}, and a status is a String`, {
      detail: 'delete it by hand, then retry',
    });
  if (found.value === value) return;
  // A description is a mark of a first version only.
  if (!isMarkedByTags) await aws.markedParameters.tagParameter(name, tags);
  await aws.markedParameters.overwriteParameter({ name, type, value, marker: markerOfTags(tags), tags });
}

async function lookAt(context: Context, parameter: string): Promise<Parameter | undefined> {
  const name = nameOf(context, parameter);
  return (await context.aws.markedParameters.findParameters([name])).get(name);
}

function nameOf({ spec: { path } }: Context, parameter: string): string {
  return `${path}${parameter}`;
}

function isOwn({ tags }: Context, found: Parameter): boolean {
  return isOwnedBy(found.tags, ownerOf(tags));
}

/** Undefined: there is none that is the tenant's. */
function ownValue(context: Context, found: Parameter | undefined): string | undefined {
  return found && isOwn(context, found) ? (found.value ?? '') : undefined;
}

function saidIn(found: Parameter | undefined, word: string | undefined): string {
  if (!found) return 'is not there';
  return word === undefined ? "is not the tenant's" : `says ${word}`;
}

/** Before the tenant's data goes: nobody would be told. */
function lostMark({ tags }: Context, { name }: Parameter): StepError {
  const mark = [INSTALLATION_TAG, TENANT_TAG].map((tag) => `the tag ${tag}=${tags[tag] ?? ''}`).join(' and ');
  return new StepError('STILL_PRESENT', `parameter ${name} does not carry its tenant's mark any more`, {
    detail: `its value was not written over. Put its mark back (${mark}), or delete it by hand, then retry`,
  });
}

function refusal(context: Context, { arn, name, tags }: Parameter): Promise<StepError> {
  return refusalOf(context, {
    resource: { type: 'ssm:parameter', name },
    message: `parameter ${name} is somebody else's`,
    detail: `${arn}: ${describeHolder(tags)}`,
    owner: findOwner(tags),
  });
}
