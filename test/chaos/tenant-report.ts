import type { ProcessWorld, Tenant } from './process-world.ts';

/** Runs a case; when it fails, the error carries what is needed to understand it: events, calls and Temporal's view. */
export async function explained<T>(world: ProcessWorld, tenants: readonly Tenant[], run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const reports = await Promise.all(tenants.map((tenant) => reportOf(world, tenant)));
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\n\n${reports.join('\n\n')}`, { cause: error });
  }
}

async function reportOf(world: ProcessWorld, tenant: Tenant): Promise<string> {
  const events = await world.api.events(tenant.tenantId, { after: 0, limit: 200 }).catch(() => []);
  const calls = world.gateway.calls().filter(({ caller }) => caller.operationId === tenant.operationId);
  return [
    `tenant ${tenant.slug} (${tenant.tenantId}), operation ${tenant.operationId}`,
    'events:',
    ...events.map((e) => `  ${e.at} ${e.type} ${e.stepId ?? ''} ${JSON.stringify(e.data)}`),
    'AWS calls of the operation:',
    ...calls.map(
      (c) =>
        `  ${c.at} ${c.caller.app ?? '?'} ${c.caller.stepId ?? ''}.${c.caller.verb ?? ''} ${c.service}:${c.action} ${c.outcome} ${c.code ?? ''} ${c.durationMs} ms`,
    ),
  ].join('\n');
}
