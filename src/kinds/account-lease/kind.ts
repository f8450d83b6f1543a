import { z } from 'zod';
import { StepError } from '../../contracts/step-error.ts';
import { readClock } from '../../db/clock.ts';
import type { Kind, Observation, StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';
import { fieldsOf } from '../framework/within.ts';

const seconds = z.number().min(0).max(86_400);

/**
 * `parameter`: one of the SSM Parameter Store, which has the value while the wait counts. `seconds`: how many pass until it is ready.
 * `removal`: how many pass before its removal is done, past the commit of a change and in an undo.
 */
const spec = z.strictObject({
  parameter: z.strictObject({ name: text, value: text }).optional(),
  seconds,
  removal: z.strictObject({ pastCommit: seconds, undone: seconds }),
});
/** `since`: ISO 8601, by PostgreSQL's clock. `writing`: of the parameter, as SSM tells it. */
const outputs = z.strictObject({ since: z.string(), writing: z.string() });

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
  changeable: ['parameter', 'seconds', 'removal'],
  types: {},
  permissions: ['ssm:GetParameter'],
  inCell: ({ parameter }, within) => (parameter === undefined ? [] : within.tenantId(fieldsOf(parameter)['name'])),
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const {
      db,
      previous,
      spec: { seconds: wanted },
    } = context;
    const { problem, writing } = await lookAt(context);
    if (problem !== undefined) throw new StepError('CONFLICT_RETRYABLE', `the wait cannot begin: ${problem}`);
    // A parameter that was written anew begins another wait; without one each attempt does.
    const begun = writing !== '' && previous.writing === writing ? previous.since : undefined;
    const since = begun === undefined ? await readClock(db) : new Date(begun);
    return { ...(await waitedFor(db, since, wanted)), outputs: { since: since.toISOString(), writing } };
  },

  async observe(context): Promise<Observation> {
    const {
      db,
      previous,
      removingAt,
      spec: { seconds: wanted },
    } = context;
    if (removingAt) {
      const { detail, status } = await waitedFor(db, removingAt, secondsOfRemoval(context));
      return status === 'ready' ? { status: 'absent', detail, others: await context.notOurs([]) } : { status, detail };
    }
    if (previous.since === undefined) return { status: 'pending', detail: 'the wait has not begun' };
    const { problem, writing } = await lookAt(context);
    if (problem !== undefined) return { status: 'failed', detail: problem };
    if (writing !== previous.writing) return { status: 'failed', detail: 'the parameter was written anew meanwhile' };
    return waitedFor(db, new Date(previous.since), wanted);
  },

  // It makes nothing.
  differs: () => Promise.resolve([]),

  async remove(context) {
    const others = await context.notOurs([]);
    const { status } = context.removingAt
      ? await waitedFor(context.db, context.removingAt, secondsOfRemoval(context))
      : ({ status: 'pending' } as const);
    return { status: status === 'ready' ? 'removed' : 'pending', others };
  },
};

function secondsOfRemoval({ isPastCommit, spec: { removal } }: Context): number {
  return isPastCommit === true ? removal.pastCommit : removal.undone;
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
