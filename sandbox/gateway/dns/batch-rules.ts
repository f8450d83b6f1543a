import type { Change, RecordSet } from './changes.ts';

/** Of one batch (Route 53 quotas); an UPSERT counts double in both. */
const maxRecords = 1000;
const maxCharacters = 32_000;

/** Messages of a batch that is too large. Words as Route 53's clients report them. */
export function sizeProblems(changes: readonly Change[]): string[] {
  const weight = ({ action }: Change) => (action === 'UPSERT' ? 2 : 1);
  const sum = (measure: (change: Change) => number) =>
    changes.reduce((total, change) => total + weight(change) * measure(change), 0);
  const records = sum(({ values }) => values.length);
  const characters = sum(({ values }) => values.reduce((total, value) => total + value.length, 0));
  return [
    ...(records > maxRecords ? [`Number of records limit of ${maxRecords} exceeded.`] : []),
    ...(characters > maxCharacters ? [`Number of characters limit of ${maxCharacters} exceeded.`] : []),
  ];
}

/** Messages of changes that the zone, as it is, does not allow: all of them, as a batch is taken whole or not at all. */
export function changeProblems(zone: string, existing: readonly RecordSet[], changes: readonly Change[]): string[] {
  const foreign = changes.filter(({ name }) => !belongsTo(zone, name));
  if (foreign.length > 0)
    return foreign.map(({ name }) => `RRSet with DNS name ${name} is not permitted in zone ${zone}`);
  const invalid = invalidSets(changes);
  if (invalid.length > 0) return invalid;
  const after = new Map(existing.map((set) => [keyOf(set), set]));
  const problems: string[] = [];
  for (const change of changes) {
    const problem = apply(after, change);
    if (problem !== undefined) problems.push(problem);
  }
  return problems.length > 0 ? problems : conflicts(zone, [...after.values()], changes);
}

/** How many record sets the zone has more after the changes. */
export function growth(existing: readonly RecordSet[], changes: readonly Change[]): number {
  const keys = new Set(existing.map(keyOf));
  const before = keys.size;
  for (const change of changes) {
    if (change.action === 'DELETE') keys.delete(keyOf(change));
    else keys.add(keyOf(change));
  }
  return keys.size - before;
}

function belongsTo(zone: string, name: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** One record set may be in a batch once, or be deleted and created. */
function invalidSets(changes: readonly Change[]): string[] {
  const actions = new Map<string, Change[]>();
  for (const change of changes) actions.set(keyOf(change), [...(actions.get(keyOf(change)) ?? []), change]);
  return [...actions.values()]
    .filter((same) => same.length > 1 && same.map((c) => c.action).join(' ') !== 'DELETE CREATE')
    .map(
      ([first]) =>
        `The request contains an invalid set of changes for a resource record set '${first?.type ?? ''} ${first?.name ?? ''}'`,
    );
}

/** Carries one change out on the record sets, or says why it cannot be. */
function apply(after: Map<string, RecordSet>, change: Change): string | undefined {
  const key = keyOf(change);
  const current = after.get(key);
  const identifier = change.setIdentifier === undefined ? '' : `, set-identifier='${change.setIdentifier}'`;
  const named = `resource record set [name='${change.name}', type='${change.type}'${identifier}]`;
  switch (change.action) {
    case 'CREATE': {
      if (current) return `Tried to create ${named} but it already exists`;
      after.set(key, change);
      return undefined;
    }
    case 'DELETE': {
      if (!current) return `Tried to delete ${named} but it was not found`;
      if (contentOf(current) !== contentOf(change))
        return `Tried to delete ${named} but the values provided do not match the current values`;
      after.delete(key);
      return undefined;
    }
    default: {
      after.set(key, change);
      return undefined;
    }
  }
}

/** A CNAME stands alone at its name, and never at the zone's own. */
function conflicts(zone: string, after: readonly RecordSet[], changes: readonly Change[]): string[] {
  const made = changes.filter((c) => c.action !== 'DELETE');
  return made.flatMap(({ name, type }) => {
    const others = after.filter((set) => set.name === name && set.type !== type);
    if (type === 'CNAME' && name === zone)
      return [`RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${zone}`];
    if (type === 'CNAME' && others.length > 0) {
      return [
        `RRSet of type CNAME with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${zone}`,
      ];
    }
    if (others.some((set) => set.type === 'CNAME')) {
      return [
        `RRSet of type ${type} with DNS name ${name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${zone}`,
      ];
    }
    return [];
  });
}

function keyOf({ name, type, setIdentifier }: RecordSet): string {
  return JSON.stringify([name, type, setIdentifier]);
}

/** What a deletion must give exactly as it is. */
function contentOf({ ttl, values, alias, further }: RecordSet): string {
  return JSON.stringify([alias === undefined ? [ttl, [...values].sort()] : alias, further]);
}
