import { setTimeout as sleep } from 'node:timers/promises';
import { StepError } from '../contracts/step-error.ts';
import { OBSERVE_EVERY_MS } from '../contracts/verbs.ts';
import type { ResourceName } from '../kinds/framework/kind.ts';
import { lostData } from '../kinds/framework/lost-data.ts';
import { onBehalfOf, type StepRun } from './step-run.ts';

/** Looks that must all see nothing before that is believed: one alone may be older than a change. */
const LOOKS = 3;

/**
 * What was applied holds the data of a tenant that was active: an empty one in its place would pass for it, and nothing would ever tell
 * that the data is gone.
 * @throws StepError DATA_LOST
 */
export async function refuseLostData(run: StepRun): Promise<void> {
  const { context, kind, key, stored } = run;
  if (!kind.holdsData || !context.tenant.everActive || !stored?.applied) return;
  let lost = await look(run);
  for (let looks = 1; lost.length > 0 && looks < LOOKS; looks += 1) {
    await sleep(OBSERVE_EVERY_MS, undefined, { signal: run.signal });
    lost = await look(run);
  }
  if (lost.length === 0) return;
  const names = lost.map(({ type, name }) => `${type} ${name}`).join(', ');
  throw new StepError('DATA_LOST', `${names} of step "${key.stepId}" is gone, with the data of an active tenant`, {
    detail: 'no empty one was made in its place; restore it from a backup under the same name, with its ownership mark',
  });
}

async function look(run: StepRun): Promise<readonly ResourceName[]> {
  const seen = await onBehalfOf(run, () => run.kind.observe(run.context));
  return lostData(run.kind, run.context, seen);
}
