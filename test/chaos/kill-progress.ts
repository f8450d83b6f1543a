import type { Target } from './kill-scene.ts';
import type { ProcessWorld } from './process-world.ts';

/** How an operation went on after its worker was killed, in ms after the last SIGKILL before that. */
export interface Progress {
  /** With anything: a call by another worker, or an event. */
  readonly operationMs: number;
  /** With the step whose call was hit; undefined when there was nothing left to do for it. */
  readonly stepMs: number | undefined;
  /** Workers that the operation had lost before this one: killed for other tenants' sake. */
  readonly workersLostBefore: number;
}

/**
 * When the operation of a target went on. `kills` are all SIGKILLs of the run (epoch ms), in order; the one at `killedAt`
 * hit the target's call. @throws Error when it never went on
 */
export async function progressAfter(
  world: ProcessWorld,
  { tenant, point }: Target,
  { at: killedAt, apps }: { readonly at: number; readonly apps: readonly string[] },
  kills: readonly number[],
): Promise<Progress> {
  const signs = await signsOf(world, tenant, apps);
  const since = (of: typeof signs) => {
    const later = of.filter(({ at }) => at > killedAt);
    if (later.length === 0) return undefined;
    const wentOnAt = Math.min(...later.map(({ at }) => at));
    return wentOnAt - Math.max(...kills.filter((at) => at >= killedAt && at < wentOnAt));
  };
  const operationMs = since(signs);
  if (operationMs === undefined) throw new Error(`${tenant.slug} did not go on after the kill`);
  const beganAt = Math.min(...signs.map(({ at }) => at));
  return {
    operationMs,
    stepMs: since(signs.filter(({ stepId }) => stepId === point.call.stepId)),
    workersLostBefore: kills.filter((at) => at > beganAt && at < killedAt).length,
  };
}

/** Calls for the operation by others than these workers, and its events. */
async function signsOf(
  { gateway, api }: ProcessWorld,
  { tenantId, operationId }: Target['tenant'],
  apps: readonly string[],
) {
  const isOwn = (operation: string | undefined) => operation === operationId;
  const calls = gateway.calls().filter(({ caller }) => isOwn(caller.operationId) && !apps.includes(caller.app ?? ''));
  const events = await api.events(tenantId, { after: 0, limit: 200 });
  return [
    ...calls.map(({ at, caller }) => ({ at: Date.parse(at), stepId: caller.stepId })),
    ...events
      .filter((event) => isOwn(event.operationId ?? undefined))
      .map(({ at, stepId }) => ({ at: Date.parse(at), stepId })),
  ];
}
