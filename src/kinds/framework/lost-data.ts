import type { Kind, Observation, ResourceName, StepContext } from './kind.ts';
import { isPart, type ResourceType } from './resource-type.ts';

/** What held a tenant's data and is not there, as a look shows it: `ensure` would make it anew, without the data. Pure. */
export function lostData(
  kind: Pick<Kind, 'holdsData' | 'resources' | 'types'>,
  context: StepContext,
  seen: Observation,
): readonly ResourceName[] {
  if (!kind.holdsData) return [];
  const types: Readonly<Record<string, ResourceType>> = kind.types;
  const gone = seen.status === 'absent' ? kind.resources(context) : (seen.missing ?? []);
  return gone.filter(({ type }) => {
    const known = types[type];
    return known !== undefined && !isPart(known) && known.holdsData === true;
  });
}
