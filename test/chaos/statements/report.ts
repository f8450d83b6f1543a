import { recordResult } from '../results.ts';
import { describeCase, type FaultCase } from './cases.ts';
import type { LifeOutcome, PhaseOutcome } from './live.ts';
import type { Life } from './lives.ts';
import type { MatrixWorld, Tenant } from './world.ts';
import { testCaller } from '../../support/caller.ts';

/** One line of the published results per case whose fault struck: another one is lived again. */
export function recordLife({ phases }: LifeOutcome): void {
  for (const { cases, outcome, struck, problems } of phases) {
    for (const c of cases.filter(({ id }) => struck.has(id)))
      recordResult('fault', { ...recordOf(c), hit: true, outcome, problems });
  }
}

/** The cases whose fault struck in no life. */
export function recordMissed({ up, down }: Life): void {
  for (const c of [...up, ...down]) recordResult('fault', { ...recordOf(c), hit: false, outcome: 'never struck' });
}

function recordOf({ point, fault, variant }: FaultCase) {
  const { call, phase } = point;
  return { of: '-', phase, verb: 'sql', call, nth: 1, fault, ending: variant };
}

/** All that is known of a life that went wrong. */
export async function explain(world: MatrixWorld, seed: number, outcome: LifeOutcome): Promise<string> {
  const { life, phases, tenants } = outcome;
  const told = await Promise.all(
    [...new Map(tenants.map((t) => [t.tenantId, t])).values()].map((t) => eventsOf(world, t)),
  );
  return [
    `a life (${life.kind}) went wrong, seed ${seed}:`,
    ...phases.flatMap(phaseLines),
    ...told.flat(),
    ...tenants.flatMap((tenant) => callLines(world, tenant)),
  ].join('\n');
}

function phaseLines({ cases, outcome, problems }: PhaseOutcome): string[] {
  return [
    `  ${cases.map((c: FaultCase) => describeCase(c)).join(' + ') || 'no fault'}: ${outcome}`,
    ...problems.map((problem) => `    ! ${problem}`),
  ];
}

async function eventsOf(world: MatrixWorld, { tenantId, slug }: Tenant): Promise<string[]> {
  const events = await world.client.events(testCaller, tenantId, { after: 0, limit: 500 }).catch(() => []);
  return [
    `  events of ${slug} (${tenantId}):`,
    ...events.map(({ at, type, stepId, data }) => `    ${at} ${type} ${stepId ?? ''} ${JSON.stringify(data)}`),
  ];
}

function callLines(world: MatrixWorld, { target }: Tenant): string[] {
  const calls = world.gateway.calls().filter((call) => call.caller.operationId === target.operationId);
  return [
    `  AWS calls of operation ${target.operationId}:`,
    ...calls.map(
      ({ at, caller, service, action, outcome, code, resource, fault, effect }) =>
        `    ${at} ${caller.stepId ?? '?'}.${caller.verb ?? '?'} ${service}:${action} ${resource ?? ''} ${outcome} ${code ?? ''}${fault ? ` (fault ${fault.type})` : ''}${effect ? ` (in truth ${effect.status} ${effect.code ?? ''} at ${effect.at})` : ''}`,
    ),
  ];
}
