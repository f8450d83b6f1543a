import type { Database, Queryable } from '../db/database.ts';
import { operationTable, type OperationType } from '../contracts/operation-table.ts';
import type { Settings } from '../contracts/settings.ts';
import { listRecordedDurations, type RecordedDuration } from '../db/step-durations.ts';
import { changingCalls } from '../kinds/framework/calls.ts';
import type { Kind } from '../kinds/framework/kind.ts';
import { referencesInWords, type FieldDifference, type StepDifference } from '../plan/differences.ts';
import type { StepPlan } from '../plan/plan.ts';
import { expectedTime, type Duration } from '../plan/expected-time.ts';
import type { ClientDeps } from './requests.ts';
import type { FinalDumpView, PreviewedStepView, PreviewView, RoomView } from './views.ts';

/** Rolls the transaction back without being a failure. */
class PreviewedSignal<T> extends Error {
  readonly seen: T;
  constructor(seen: T) {
    super('a preview changes nothing');
    this.seen = seen;
  }
}

/** Does what a request would do, with everything that would refuse it, and takes it back: nothing is written. */
export async function inVain<T>(
  database: Pick<Database, 'transaction'>,
  fn: (tx: Queryable) => Promise<T>,
): Promise<T> {
  let seen: PreviewedSignal<T> | undefined;
  try {
    return await database.transaction(async (tx) => {
      throw (seen = new PreviewedSignal(await fn(tx)));
    });
  } catch (error) {
    if (seen === undefined || error !== seen) throw error;
    return seen.seen;
  }
}

/** A transient step is made and removed again. */
function callsOf(kind: Kind, { becomes, transient }: StepPlan): string[] {
  const calls = changingCalls(kind, becomes);
  return transient === true ? [...new Set([...calls, ...changingCalls(kind, 'drop')])] : [...calls];
}

function told({ field, from, to }: FieldDifference): FieldDifference {
  return { field, from: referencesInWords(from), to: referencesInWords(to) };
}

interface Previewed {
  /** Null: the tenant does not exist yet. */
  readonly tenantId: string | null;
  readonly cell: string;
  /** When the tenant was in service first; null: never, so that no step holds any data of it. */
  readonly activatedAt: Date | null;
  /** Null: nothing would have to be carried out. */
  readonly operation: OperationType | null;
  readonly plan: readonly StepPlan[];
  readonly differences?: readonly StepDifference[];
  readonly settings: Settings;
  readonly room?: RoomView | undefined;
  /** Of a deletion. */
  readonly finalDump?: FinalDumpView | undefined;
}

/**
 * What comes nearest where nothing is recorded: what a change makes is recorded as changed, and a step that was only ever made takes about
 * as long to change.
 */
const otherwise: Readonly<Record<string, readonly RecordedDuration['becomes'][]>> = {
  make: ['change'],
  change: ['make'],
};

/** What a request would do: the plan by which its run goes, with what is known of its steps from earlier runs. */
export async function previewOf(
  { catalog, database }: Pick<ClientDeps, 'catalog' | 'database'>,
  { tenantId, activatedAt, cell, operation, plan, differences = [], settings, room, finalDump }: Previewed,
): Promise<PreviewView> {
  const recorded = await listRecordedDurations(database, cell);
  const durationOf = ({ kind, becomes }: StepPlan): Duration | undefined => {
    const as = becomes === 'restore' ? 'change' : becomes;
    const found = [as, ...(otherwise[as] ?? [])]
      .flatMap((each) => recorded.find((of) => of.kind === kind && of.becomes === each) ?? [])
      .at(0);
    return found && { medianMs: found.medianMs, p90Ms: found.p90Ms };
  };
  const losesData = activatedAt !== null && operation !== null && operationTable[operation].target === 'nothing';
  const fieldsOf = new Map(differences.map(({ stepId, fields }) => [stepId, fields]));
  const steps = plan.map((step): PreviewedStepView => {
    const { id: stepId, kind: name, becomes } = step;
    const kind = catalog.kinds.kinds.get(name);
    return {
      ...{
        stepId,
        kind: name,
        becomes,
        fields: (fieldsOf.get(stepId) ?? []).map(told),
        transient: step.transient === true,
      },
      calls: kind ? callsOf(kind, step) : [],
      expected: becomes === 'keep' ? null : (durationOf(step) ?? null),
      // Only a deletion loses data: whatever else drops a step that holds some has the tenant's data in another one.
      dropsData: losesData && becomes === 'drop' && kind?.holdsData === true,
    };
  });
  const residues = plan
    .filter(({ becomes, transient }) => becomes === 'drop' || transient === true)
    .flatMap(({ id: stepId, kind }) =>
      (catalog.kinds.kinds.get(kind)?.residues ?? []).map((one) => ({ stepId, ...one })),
    );
  const expected = operation === null ? null : (expectedTime(plan, durationOf) ?? null);
  return {
    dryRun: true,
    tenantId,
    operation,
    steps,
    expected,
    room: room ?? null,
    finalDump: finalDump ?? null,
    residues,
    settings,
  };
}
