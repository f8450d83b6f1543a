import type { PollingProfile } from '../contracts/blueprint.ts';
import type { KindName } from '../contracts/kinds.ts';
import type { Cell } from '../contracts/platform.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * How long each kind usually takes on AWS and when we stop waiting, in ms. Sources: requirement U-10 (20 minutes per
 * component), U-25 (INSYNC within 5 minutes, usually 60 s), aws-facts (a service drains before it is INACTIVE).
 */
const profiles: Partial<Record<KindName, { ready?: PollingProfile; gone?: PollingProfile }>> = {
  'dns-record': {
    ready: { usualMs: 45 * SECOND, deadlineMs: 5 * MINUTE },
    gone: { usualMs: 60 * SECOND, deadlineMs: 10 * MINUTE },
  },
  'ecs-service': {
    ready: { usualMs: 90 * SECOND, deadlineMs: 20 * MINUTE },
    gone: { usualMs: 60 * SECOND, deadlineMs: 15 * MINUTE },
  },
};

/** The polling profiles of a kind in a cell: the cell's own usual times where it states them, the kind's deadlines always. */
export function profilesOf(kind: KindName, cell: Cell): { ready?: PollingProfile; gone?: PollingProfile } {
  const given = profiles[kind];
  const inCell = (profile: PollingProfile | undefined, which: 'ready' | 'gone') =>
    profile && { [which]: { ...profile, usualMs: cell.usualMs?.[`${kind}.${which}`] ?? profile.usualMs } };
  // A deleted record is waited for until resolvers have forgotten it, however long the cell gives them.
  const drainMs = kind === 'dns-record' ? cell.hostedZone.drainSeconds * SECOND : 0;
  const gone = given?.gone && { ...given.gone, deadlineMs: given.gone.deadlineMs + drainMs };
  return { ...inCell(given?.ready, 'ready'), ...inCell(gone, 'gone') };
}
