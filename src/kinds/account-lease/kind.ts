import { z } from 'zod';
import { leaseBounds } from '../../accounts-router/fence.ts';
import { StepError } from '../../contracts/step-error.ts';
import { readClock } from '../../db/clock.ts';
import type { Kind, Observation, StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';
import { fieldsOf } from '../framework/within.ts';
import { readLease } from './lease.ts';

const seconds = z.number().min(0).max(leaseBounds.mostSeconds);

/**
 * `parameter`: one of the SSM Parameter Store, which has the value while the wait counts. `seconds`: how many pass until it is ready.
 * `removal`: how many pass before its removal is done, past the commit of a change and in an undo. `lease`: what all of them were reckoned
 * from, in seconds, and the parameter that may say more by now: then all are as much longer.
 */
const spec = z.strictObject({
  parameter: z.strictObject({ name: text, value: text }).optional(),
  seconds,
  removal: z.strictObject({ pastCommit: seconds, undone: seconds }),
  lease: z
    .strictObject({ parameter: text, seconds: z.number().min(leaseBounds.leastSeconds).max(leaseBounds.mostSeconds) })
    .optional(),
});
/** `since`: ISO 8601, by PostgreSQL's clock. `writing`: of the parameter, as SSM tells it. `wanted`: seconds that pass from `since` on. */
const outputs = z.strictObject({ since: z.string(), writing: z.string(), wanted: z.number() });

type LeaseSpec = z.output<typeof spec>;
type LeaseOutputs = z.output<typeof outputs>;
type Context = StepContext<LeaseSpec, LeaseOutputs>;

/**
 * Time that passes until nobody uses any more what was read before. PostgreSQL's clock tells it, at the beginning and at the end: workers
 * share that one, and theirs may be wrong. The executor's timers do the waiting.
 */
export const accountLease: Kind<LeaseSpec, LeaseOutputs, never> = {
  name: 'account-lease',
  spec,
  outputs,
  changeable: ['parameter', 'seconds', 'removal', 'lease'],
  types: {},
  permissions: ['ssm:GetParameter', 'ssm:GetParameters'],
  inCell: ({ parameter }, within) => (parameter === undefined ? [] : within.tenantId(fieldsOf(parameter)['name'])),
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const { db, previous, spec } = context;
    const { problem, writing } = await lookAt(context);
    if (problem !== undefined) throw new StepError('CONFLICT_RETRYABLE', `the wait cannot begin: ${problem}`);
    // A parameter that was written anew begins another wait; without one each attempt does.
    const begun = writing !== '' && previous.writing === writing ? previous.since : undefined;
    const since = begun === undefined ? await readClock(db) : new Date(begun);
    // What is longer at the beginning counts: routers that have the parameter asked before it was made shorter.
    const wanted = Math.max(begun === undefined ? 0 : (previous.wanted ?? 0), await inLease(context, spec.seconds));
    return { ...(await waitedFor(db, since, wanted)), outputs: { since: since.toISOString(), writing, wanted } };
  },

  async observe(context): Promise<Observation> {
    const { db, previous, removingAt } = context;
    if (removingAt) {
      const { detail, status } = await waitedFor(db, removingAt, await secondsOfRemoval(context));
      return status === 'ready' ? { status: 'absent', detail, others: await context.notOurs([]) } : { status, detail };
    }
    if (previous.since === undefined) return { status: 'pending', detail: 'the wait has not begun' };
    const { problem, writing } = await lookAt(context);
    if (problem !== undefined) return { status: 'failed', detail: problem };
    if (writing !== previous.writing) return { status: 'failed', detail: 'the parameter was written anew meanwhile' };
    return waitedFor(db, new Date(previous.since), previous.wanted ?? context.spec.seconds);
  },

  // It makes nothing.
  differs: () => Promise.resolve([]),

  async remove(context) {
    const others = await context.notOurs([]);
    const { status } = context.removingAt
      ? await waitedFor(context.db, context.removingAt, await secondsOfRemoval(context))
      : ({ status: 'pending' } as const);
    return { status: status === 'ready' ? 'removed' : 'pending', others };
  },
};

/** Of the removal's notes: how many seconds it takes. */
const WANTED = 'wanted';

async function secondsOfRemoval(context: Context): Promise<number> {
  const {
    isPastCommit,
    removal: notes,
    spec: { removal },
  } = context;
  const noted = notes.noted()[WANTED];
  if (noted !== undefined) return Number(noted);
  const wanted = await inLease(context, isPastCommit === true ? removal.pastCommit : removal.undone);
  await notes.note({ [WANTED]: String(wanted) });
  return wanted;
}

/** So many seconds of the lease that the spec was reckoned from, in the one that there is. */
async function inLease({ aws, spec: { lease } }: Context, count: number): Promise<number> {
  if (!lease || count === 0) return count;
  return (count * (await readLease(aws, lease.parameter, lease.seconds))) / lease.seconds;
}

async function waitedFor(
  db: Context['db'],
  since: Date,
  wanted: number,
): Promise<{ readonly status: 'ready' | 'pending'; readonly detail: string }> {
  const passed = ((await readClock(db)).getTime() - since.getTime()) / 1000;
  return passed >= wanted
    ? { status: 'ready', detail: `${wanted} s have passed since ${since.toISOString()}` }
    : { status: 'pending', detail: `${Math.ceil(wanted - passed)} of ${wanted} s are left` };
}

/** Why the wait does not count; which writing of the parameter is there, '' when none is asked for. */
async function lookAt({
  aws,
  spec: { parameter },
}: Context): Promise<{ readonly problem?: string; readonly writing: string }> {
  if (!parameter) return { writing: '' };
  const found = await aws.parameters.findWritten(parameter.name);
  if (!found) return { problem: `there is no parameter ${parameter.name}`, writing: '' };
  const { value, writing } = found;
  return value === parameter.value
    ? { writing }
    : { problem: `parameter ${parameter.name} has another value`, writing };
}
