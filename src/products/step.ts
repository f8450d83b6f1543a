import type { PollingProfile, Step } from '../contracts/blueprint.ts';
import type { Outputs, Spec } from '../contracts/kinds.ts';
import type { Cell } from '../contracts/platform.ts';
import type { Kind, Profiles } from '../kinds/framework/kind.ts';

/** Writes one step: its spec has the shape that the kind gives, its polling profiles are the kind's unless given. */
export type MakeStep = <S extends Spec, O extends Outputs>(
  kind: Pick<Kind<S, O>, 'name' | 'spec' | 'profiles'>,
  step: Omit<Step<S>, 'kind'>,
) => Step<S>;

export function stepsIn(cell: Cell): MakeStep {
  return (kind, step) => ({ ...profilesOf(kind, cell), kind: kind.name, ...step });
}

/** The polling profiles of a kind in a cell: the cell's own usual times where it states them, the kind's deadlines always. */
export function profilesOf({ name, profiles }: Pick<Kind, 'name' | 'profiles'>, cell: Cell): Profiles {
  const { ready, gone } = profiles?.(cell) ?? {};
  const inCell = (profile: PollingProfile | undefined, which: keyof Profiles) =>
    profile && { [which]: { ...profile, usualMs: cell.usualMs?.[`${name}.${which}`] ?? profile.usualMs } };
  return { ...inCell(ready, 'ready'), ...inCell(gone, 'gone') };
}
