import type { ProcessWorld } from './process-world.ts';
import type { Target } from './kill-scene.ts';

/** When an operation went on after a kill, in ms since: with anything, and with the step whose call was hit. */
export interface Progress {
  readonly operationMs: number;
  readonly stepMs: number;
}

/**
 * Progress is a call that another worker made for the operation, or an event of it. @throws Error when there was none
 */
export async function progressAfter(
  world: ProcessWorld,
  { tenant, point }: Target,
  kill: { readonly at: number; readonly app: string },
): Promise<Progress> {
  const { tenantId, operationId } = tenant;
  const calls = world.gateway
    .calls()
    .filter(({ caller }) => caller.operationId === operationId && caller.app !== kill.app)
    .map(({ at, caller }) => ({ at: Date.parse(at), stepId: caller.stepId }));
  const events = (await world.api.events(tenantId, { after: 0, limit: 200 }))
    .filter((event) => event.operationId === operationId)
    .map(({ at, stepId }) => ({ at: Date.parse(at), stepId }));
  const later = [...calls, ...events].filter(({ at }) => at > kill.at);
  const ofStep = later.filter(({ stepId }) => stepId === point.call.stepId);
  const first = (signs: typeof later) => Math.min(...signs.map(({ at }) => at)) - kill.at;
  const progress = { operationMs: first(later), stepMs: first(ofStep) };
  if (!Number.isFinite(progress.operationMs)) throw new Error(`${tenant.slug} made no progress after the kill`);
  return progress;
}
