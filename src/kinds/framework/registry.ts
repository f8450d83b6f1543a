import type { KindFacts, Step } from '../../contracts/blueprint.ts';
import { latenessWindowMs, LONGEST_LATENESS_MS } from '../../contracts/verbs.ts';
import type { IsRemovedAgain } from '../../plan/walk.ts';
import type { Kind } from './kind.ts';
import { isPart, type ResourceType, type SweptType } from './resource-type.ts';

/** Every kind of an installation, by name; and every type of resource that any of them makes. */
export interface KindRegistry extends KindFacts {
  readonly kinds: ReadonlyMap<string, Kind>;
  /** What the sweep lists, in the order of removal: what points at something goes before it. */
  readonly sweptTypes: ReadonlyMap<string, SweptType>;
  /** The type that a type of the ledger is swept as: itself, or the one that it is a part of. Undefined: no kind makes it. */
  readonly sweptTypeOf: (type: string) => string | undefined;
  /** The ledger's types that are swept as this one. */
  readonly ledgerTypesOf: (sweptType: string) => readonly string[];
  readonly isRemovedAgain: IsRemovedAgain;
}

/** @throws RangeError naming all that is wrong: a kind given twice, a type that two kinds describe otherwise, wrong limits */
export function createKindRegistry(list: readonly Kind[]): KindRegistry {
  const kinds = new Map(list.map((kind) => [kind.name, kind]));
  const types = new Map(list.flatMap((kind) => Object.entries<ResourceType>(kind.types)));
  const problems = problemsOf(list, types);
  if (problems.length > 0) throw new RangeError(problems.join('; '));
  const sweptTypeOf = (type: string) => {
    const found = types.get(type);
    return found && isPart(found) ? found.partOf : found && type;
  };
  return {
    kinds,
    sweptTypes: inOrderOfRemoval(new Map([...types, ...list.flatMap((kind) => Object.entries(kind.leftTypes ?? {}))])),
    sweptTypeOf,
    ledgerTypesOf: (swept) => [...types.keys()].filter((type) => sweptTypeOf(type) === swept),
    isRemovedAgain: (kind) => kinds.get(kind)?.leftTypes !== undefined,
    specProblems: (step) => specProblems(kinds, step),
    physicalNames: (step) => kinds.get(step.kind)?.physicalNames(step.spec) ?? [],
    isCommit: (kind) => kinds.get(kind)?.commit !== undefined,
  };
}

/** The sentence on a step whose kind the installation does not have. */
export function lacksKind({ id, kind }: Pick<Step, 'id' | 'kind'>, kinds: KindRegistry['kinds']): string {
  const has = [...kinds.keys()].sort().join(', ');
  return `step "${id}" is of kind "${kind}", which this installation does not have: it has ${has}; list it in \`kinds\` of tenantry.config.ts`;
}

function specProblems(kinds: KindRegistry['kinds'], step: Step): string[] {
  const { id, kind: name, spec } = step;
  const kind = kinds.get(name);
  if (!kind) return [lacksKind(step, kinds)];
  const parsed = kind.spec.safeParse(spec);
  if (parsed.success) return [];
  return parsed.error.issues.map(
    ({ path, message }) => `the spec of step "${id}" is wrong: ${path.join('.') || '(root)'}: ${message}`,
  );
}

function problemsOf(list: readonly Kind[], types: ReadonlyMap<string, ResourceType>): string[] {
  const named = new Set<string>();
  return list.flatMap((kind) => {
    const { name } = kind;
    const isGiven = named.has(name);
    named.add(name);
    const clashing = Object.entries<ResourceType>(kind.types).filter(([type, is]) => !isSame(types.get(type), is));
    const astray = Object.entries<ResourceType>(kind.types).filter(([, is]) => isPart(is) && !types.has(is.partOf));
    return [
      ...(isGiven ? [`kind "${name}" is given twice`] : []),
      ...(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) ? [] : [`"${name}" is no name for a kind: use kebab-case`]),
      ...clashing.map(
        ([type, is]) =>
          `kind "${name}" describes type ${type} otherwise than kind ${describersOf(list, type, is)}: give it a type of its own, or` +
          ' let one module export the description (`swept`) and both kinds use that',
      ),
      ...astray.map(([type]) => `kind "${name}" makes ${type} as a part of a type that no kind makes`),
      ...limitProblems(kind),
    ];
  });
}

function describersOf(list: readonly Kind[], type: string, is: ResourceType): string {
  const others = list.filter((kind) => {
    const described = Object.entries<ResourceType>(kind.types).find(([name]) => name === type)?.[1];
    return described !== undefined && !isSame(described, is);
  });
  return others.map(({ name }) => `"${name}"`).join(', ');
}

function isSame(a: ResourceType | undefined, b: ResourceType): boolean {
  return a === b || (a !== undefined && isPart(a) && isPart(b) && a.partOf === b.partOf);
}

/** A lost effect is waited for so long, and no longer, before anything is called a leak. */
function limitProblems({ name, limits }: Kind): string[] {
  const verbs = ['ensure', 'remove'] as const;
  return verbs
    .filter((verb) => latenessWindowMs(limits, verb) > LONGEST_LATENESS_MS)
    .map((verb) => `${name}.${verb} may be silent for too long: an attempt of more than 10 s needs a heartbeat`);
}

/** A type comes after those of its `after`; kinds of the same rank in the order in which they were given. */
function inOrderOfRemoval(types: ReadonlyMap<string, ResourceType>): ReadonlyMap<string, SweptType> {
  const ordered = new Map<string, SweptType>();
  const visit = (type: string, from: readonly string[]) => {
    const is = types.get(type);
    if (!is || isPart(is) || ordered.has(type) || from.includes(type)) return;
    for (const before of is.after ?? []) visit(before, [...from, type]);
    ordered.set(type, is);
  };
  for (const type of types.keys()) visit(type, []);
  return ordered;
}
