import type { Kind } from '../kinds/framework/kind.ts';
import { duties, listing } from './duties.ts';
import { roleOfKind, type WorkerRole } from './roles.ts';

/**
 * The IAM actions that a role's work takes: verbs of its kinds, the listing of their types, and its duties; sorted.
 *
 * @throws RangeError when nobody says whose rights a kind uses, or how one of its types is listed
 */
export function neededActions(role: WorkerRole | 'accounts', kinds: readonly Kind[]): string[] {
  const own = kinds.filter(({ name }) => roleOf(name) === role);
  const fromDuties = Object.values(duties).filter((duty) => duty.role === role);
  const actions = [
    ...own.flatMap(({ permissions }) => permissions),
    ...own.flatMap((kind) => typesOf(kind).flatMap(listingOf)),
    ...fromDuties.flatMap((duty) => duty.actions),
  ];
  return [...new Set(actions)].sort();
}

function roleOf(kind: string): WorkerRole | 'accounts' {
  const role = roleOfKind[kind];
  if (role === undefined) throw new RangeError(`src/iam/roles.ts does not say whose rights the kind ${kind} uses`);
  return role;
}

function typesOf({ types, leftTypes = {} }: Kind): string[] {
  return [...Object.keys(types), ...Object.keys(leftTypes)];
}

/** Of PostgreSQL nothing: its rights are grants. */
function listingOf(type: string): readonly string[] {
  if (type.startsWith('postgres:')) return [];
  const actions = listing[type];
  if (actions === undefined) throw new RangeError(`src/iam/duties.ts does not say how the type ${type} is listed`);
  return actions;
}
