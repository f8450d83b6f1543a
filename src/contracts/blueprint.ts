import type { Spec } from './kinds.ts';
import type { KindLimits } from './verbs.ts';

/** How a wait is polled: `usualMs` is how long it usually takes (sets the first look), `deadlineMs` ends it as a failure. */
export interface PollingProfile {
  readonly usualMs: number;
  readonly deadlineMs: number;
}

/** The failure that a step ends in when its own words should be a product's (design rule 15). */
export interface FailsAs {
  readonly type: string;
  readonly message: string;
}

/** One node of a blueprint. */
export interface Step<S extends Spec = Spec> {
  readonly id: string;
  readonly kind: string;
  /** Ids of the steps that must be ready first. */
  readonly needs: readonly string[];
  /** On the way down: ids of the steps that must be gone before this one is removed, besides those that need it. */
  readonly removeAfter?: readonly string[] | undefined;
  readonly spec: S;
  readonly ready?: PollingProfile | undefined;
  readonly gone?: PollingProfile | undefined;
  readonly failsAs?: FailsAs | undefined;
  /** Its `ensure` reads something outside the blueprint (a template service), so a retry runs it again though it is ready. */
  readonly rereads?: boolean | undefined;
  /** An undo takes it back before it brings anything back: it changed what that uses. */
  readonly undoFirst?: boolean | undefined;
  /**
   * It exists on the way only: made as any other, removed past the commit with what the target does not hold, and never part of
   * what is applied. Its `needs` and `removeAfter` may also name steps of the applied blueprint that the target does not hold: one
   * that it needs is removed after it, one in its `removeAfter` before it. Only a change of tier has such steps.
   */
  readonly transient?: boolean | undefined;
  /**
   * Made only once the look before the commit has found all else ready; the commit follows at once. Whatever fails from then on takes it
   * back before anybody is waited for, and before anything else is taken or brought back. At most one step, a transient one that needs
   * all others.
   */
  readonly last?: boolean | undefined;
}

/** The resolved, serializable graph of steps that one tenant consists of: a snapshot, stored with the operation. */
export interface Blueprint {
  readonly version: 1;
  readonly product: string;
  readonly tier: string | null;
  readonly cell: string;
  readonly steps: readonly Step[];
}

/** Id of the step that commits: needs everything else, directly or not; never undone. */
export const FINALIZE_STEP = 'finalize';

export const MAX_BLUEPRINT_BYTES = 256 * 1024;
export const MAX_SPEC_BYTES = 4 * 1024;

/** What becomes of a step in an operation: it is made, changed in its place, brought back to what was applied, stays as it is, or is removed. */
export type Becomes = 'make' | 'change' | 'restore' | 'keep' | 'drop';

/** What the workflow sees of a step: the graph, without specs (workers load those themselves, by operation id). */
export interface PlannedStep extends Omit<Step, 'spec'> {
  /** Absent in the plans of 0.1.0: there the operation says it, for all steps alike. */
  readonly becomes?: Becomes | undefined;
  /** Of its kind, where they differ from the table of verbs. */
  readonly limits?: KindLimits | undefined;
}

/** What a step makes, by the name that it has in AWS or PostgreSQL. */
export interface PhysicalName {
  /** As in the ledger: `ecs:service`, ... */
  readonly type: string;
  readonly name: string;
  /** What tells it from another one, where that is not the name. */
  readonly key?: string | undefined;
}

/** What a blueprint is checked by of its kinds. */
export interface KindFacts {
  /** What is wrong with the kind's name or the spec's shape, as sentences. */
  specProblems(step: Step): readonly string[];
  /** Of a step whose spec is in order. Two steps of a blueprint that answer the same would adopt each other's. */
  physicalNames(step: Step): readonly PhysicalName[];
  /** Whether the kind's effect is the commit of a provisioning. */
  readonly isCommit: (kind: string) => boolean;
}

/** All that is wrong with a blueprint, as sentences; empty when it may run. Checked before anything is accepted. */
export function blueprintProblems(blueprint: Blueprint, kinds: KindFacts): string[] {
  return [...graphProblems(blueprint, kinds), ...blueprint.steps.flatMap((step) => kinds.specProblems(step))];
}

/**
 * What is wrong with a blueprint whoever reads it, as sentences. Checked again by the worker that claims the operation; kinds
 * and specs are not, because another worker may know them.
 */
export function graphProblems(blueprint: Blueprint, kinds: KindFacts): string[] {
  const problems: string[] = [];
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;
  if (bytes(blueprint) > MAX_BLUEPRINT_BYTES)
    problems.push(`the blueprint is larger than ${MAX_BLUEPRINT_BYTES} bytes`);
  const byId = new Map<string, Step>();
  for (const step of blueprint.steps) {
    if (byId.has(step.id)) problems.push(`step id "${step.id}" is given twice`);
    byId.set(step.id, step);
    if (bytes(step.spec) > MAX_SPEC_BYTES)
      problems.push(`the spec of step "${step.id}" is larger than ${MAX_SPEC_BYTES} bytes`);
  }
  for (const step of blueprint.steps) problems.push(...edgeProblems(step, byId));
  const sound = blueprint.steps.filter((step) => kinds.specProblems(step).length === 0);
  problems.push(...nameProblems(sound, kinds));
  if (problems.length === 0)
    problems.push(
      ...cycleProblems(blueprint.steps),
      ...finalizeProblems(blueprint.steps, byId, kinds),
      ...lastProblems(blueprint.steps, byId),
    );
  return problems;
}

/** A step would adopt what another step of its tenant made. */
function nameProblems(sound: readonly Step[], kinds: KindFacts): string[] {
  const makers = new Map<string, string>();
  return sound.flatMap((step) =>
    kinds.physicalNames(step).flatMap(({ type, name, key = name }) => {
      const maker = makers.get(`${type} ${key}`);
      makers.set(`${type} ${key}`, maker ?? step.id);
      return maker === undefined ? [] : [`steps "${maker}" and "${step.id}" both make ${type} "${name}"`];
    }),
  );
}

function edgeProblems(step: Step, byId: ReadonlyMap<string, Step>): string[] {
  const problems: string[] = [];
  for (const id of [...step.needs, ...(step.removeAfter ?? [])]) {
    // What a transient step names beside them is looked for in the applied blueprint (plan/transient-steps.ts).
    if (!byId.has(id) && step.transient !== true)
      problems.push(`step "${step.id}" names step "${id}", which does not exist`);
    if (id === step.id) problems.push(`step "${step.id}" depends on itself`);
  }
  for (const ref of refsIn(step.spec)) {
    const source = refStep(ref);
    if (!reaches(step, source, byId))
      problems.push(`step "${step.id}" refers to "${ref}" but does not need step "${source}"`);
    if (byId.get(source)?.transient === true && step.transient !== true)
      problems.push(`step "${step.id}" stays and refers to "${ref}", and step "${source}" is transient`);
  }
  return problems;
}

function finalizeProblems(steps: readonly Step[], byId: ReadonlyMap<string, Step>, { isCommit }: KindFacts): string[] {
  const commits = steps.filter((s) => isCommit(s.kind));
  const [finalize] = commits;
  if (commits.length !== 1 || finalize?.id !== FINALIZE_STEP) {
    return [`exactly one step of kind tenant-activation, with the id "${FINALIZE_STEP}", is needed`];
  }
  if (finalize.transient === true) return [`step "${FINALIZE_STEP}" cannot be transient`];
  return steps
    .filter((s) => s !== finalize && !reaches(finalize, s.id, byId))
    .map((s) => `step "${FINALIZE_STEP}" does not wait for step "${s.id}"`);
}

/** So that it is undone before all others by the usual order, too. */
function lastProblems(steps: readonly Step[], byId: ReadonlyMap<string, Step>): string[] {
  const [last, another] = steps.filter((step) => step.last === true);
  if (!last) return [];
  if (another) return [`steps "${last.id}" and "${another.id}" cannot both be the last`];
  if (last.transient !== true) return [`step "${last.id}" is the last and not transient`];
  return steps
    .filter((step) => step !== last && step.id !== FINALIZE_STEP && !reaches(last, step.id, byId))
    .map((step) => `step "${last.id}" is the last and does not wait for step "${step.id}"`);
}

/** Cycles in either direction: `needs` upwards, reversed `needs` with `removeAfter` downwards. */
function cycleProblems(steps: readonly Step[]): string[] {
  const ids = new Set(steps.map(({ id }) => id));
  const known = (list: readonly string[]) => list.filter((id) => ids.has(id));
  const up = new Map(steps.map((s) => [s.id, known(s.needs)]));
  const down = new Map(steps.map((s) => [s.id, known(s.removeAfter ?? [])]));
  for (const step of steps) for (const need of step.needs) down.get(need)?.push(step.id);
  const problems: string[] = [];
  if (!isAcyclic(up)) problems.push('the needs of the steps form a cycle');
  else if (!isAcyclic(down)) problems.push('needs and removeAfter together form a cycle on the way down');
  return problems;
}

function isAcyclic(edges: ReadonlyMap<string, readonly string[]>): boolean {
  const left = new Map([...edges].map(([id, to]) => [id, new Set(to)]));
  for (;;) {
    const free = [...left].filter(([, to]) => to.size === 0).map(([id]) => id);
    if (free.length === 0) return left.size === 0;
    for (const id of free) left.delete(id);
    for (const to of left.values()) for (const id of free) to.delete(id);
  }
}

function reaches(from: Step, id: string, byId: ReadonlyMap<string, Step>, seen = new Set<string>()): boolean {
  return from.needs.some((need) => {
    if (need === id) return true;
    if (seen.has(need)) return false;
    seen.add(need);
    const next = byId.get(need);
    return next !== undefined && reaches(next, id, byId, seen);
  });
}

/** Every reference in a spec, as written (`step.field`). */
export function refsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (typeof value !== 'object' || value === null) return [];
  const ref = referenceIn(value);
  if (ref !== undefined) return [ref];
  return Object.values(value).flatMap(refsIn);
}

/** As written, where the object is a reference and nothing else. */
export function referenceIn(value: object): string | undefined {
  return 'ref' in value && typeof value.ref === 'string' && Object.keys(value).length === 1 ? value.ref : undefined;
}

/** The step id of a reference: all before its last dot. */
export function refStep(ref: string): string {
  return ref.slice(0, ref.lastIndexOf('.'));
}

/** The output field of a reference: all after its last dot. */
export function refField(ref: string): string {
  return ref.slice(ref.lastIndexOf('.') + 1);
}
