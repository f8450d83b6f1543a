import { FINALIZE_STEP, referenceIn, refField, refStep, type Step } from '../contracts/blueprint.ts';
import { isSameJson } from '../contracts/stable-json.ts';

/** What differences are judged by of a kind. */
export interface ChangeFacts {
  /** Fields of its spec that are changed in place. */
  readonly changeable?: readonly string[] | undefined;
  /** What it makes holds a tenant's data. */
  readonly holdsData?: boolean | undefined;
}

/** A field of a step's spec that is to be another, by its path; undefined on the side that lacks it. */
export interface FieldDifference {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** What sets the step of a target apart from the applied one of the same id. */
export interface StepDifference {
  readonly stepId: string;
  readonly kind: string;
  readonly is: 'added' | 'changed' | 'removed';
  /** Of a changed one. Specs hold references to secrets, and none of the secrets. */
  readonly fields: readonly FieldDifference[];
  /** Why it cannot be done to what is there, as sentences; empty when it can. */
  readonly problems: readonly string[];
}

/** What differs between what is applied and a target, step by step, in the order of the target; what is removed comes last. Pure. */
export function differences(
  applied: readonly Step[],
  target: readonly Step[],
  factsOf: (kind: string) => ChangeFacts,
): StepDifference[] {
  const before = new Map(applied.map((step) => [step.id, step]));
  const after = new Set(target.map(({ id }) => id));
  const broughtElsewhere = new Set(target.flatMap(({ transient, needs }) => (transient === true ? needs : [])));
  return [
    ...target.flatMap((step) => {
      const old = before.get(step.id);
      return old ? changedStep(old, step, factsOf(step.kind)) : [added(step)];
    }),
    ...applied
      .filter(({ id }) => !after.has(id))
      .map((step) => removed(step, factsOf(step.kind), broughtElsewhere.has(step.id))),
  ];
}

function added({ id: stepId, kind }: Step): StepDifference {
  return { stepId, kind, is: 'added', fields: [], problems: [] };
}

/** Data goes with a transient step's word only: one that needs what holds it brings it elsewhere. */
function removed({ id: stepId, kind }: Step, { holdsData }: ChangeFacts, isBroughtElsewhere: boolean): StepDifference {
  const problems =
    holdsData && !isBroughtElsewhere
      ? [
          `the step "${stepId}" cannot be taken away: it holds the tenant's data, which only a deletion of the tenant drops`,
        ]
      : [];
  return { stepId, kind, is: 'removed', fields: [], problems };
}

function changedStep(old: Step, step: Step, { changeable = [] }: ChangeFacts): StepDifference[] {
  const { id: stepId, kind } = step;
  if (old.kind !== kind) {
    const problems = [`the step "${stepId}" is a ${old.kind} and cannot become a ${kind}`];
    return [{ stepId, kind, is: 'changed', fields: [{ field: 'kind', from: old.kind, to: kind }], problems }];
  }
  const fields = fieldDifferences(old.spec, step.spec);
  if (fields.length === 0) return [];
  const fixed = fields.filter(
    ({ field }) => stepId === FINALIZE_STEP || !changeable.includes(field.split('.')[0] ?? ''),
  );
  const problems = fixed.map(
    ({ field, from, to }) =>
      `${field} of the ${kind} "${stepId}" cannot be changed from ${shown(from)} to ${shown(to)}: ${possible(changeable)}`,
  );
  return [{ stepId, kind, is: 'changed', fields, problems }];
}

function possible(changeable: readonly string[]): string {
  return changeable.length === 0 ? 'nothing of it can' : `of what is there only ${changeable.join(', ')} can`;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(referencesInWords(value));
}

/** A value of a spec for people: what refers to an output of a step is not known before that step is made. */
export function referencesInWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referencesInWords);
  if (typeof value !== 'object' || value === null) return value;
  const ref = referenceIn(value);
  if (ref !== undefined) return `(${refField(ref)} of ${refStep(ref)})`;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, referencesInWords(inner)]));
}

/** The deepest fields that differ; a list and a reference are one value each. */
export function fieldDifferences(from: unknown, to: unknown, path: readonly string[] = []): FieldDifference[] {
  if (isBranch(from) && isBranch(to)) {
    const names = new Set([...Object.keys(from), ...Object.keys(to)]);
    return [...names].flatMap((name) => fieldDifferences(from[name], to[name], [...path, name]));
  }
  return isSameJson(from, to) ? [] : [{ field: path.join('.'), from, to }];
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('ref' in value);
}
