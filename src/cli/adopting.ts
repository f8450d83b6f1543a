import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import { POLL_COUNTS_MS } from '../client/workers.ts';
import { loadConfig } from '../config.ts';
import { taskQueues } from '../contracts/ids.ts';
import { createDatabase } from '../db/database.ts';
import { adoptNamespace, findTie } from '../db/temporal-namespaces.ts';
import { commandCaller } from '../process-caller.ts';
import { createTemporalClient, type TemporalClient } from '../temporal/client.ts';
import { takeOverNamespace } from '../temporal/namespace-mark.ts';
import { holderProblem, lookUpNamespace, type SeenNamespace } from '../temporal/namespace.ts';

/** The namespace cannot be adopted as things are; the message says what to do first. */
export class NamespaceInUseError extends Error {
  override readonly name = 'NamespaceInUseError';
}

/** Ties the database and the namespace that the environment names to each other, and prints what that means. */
export async function adoptNamespaceAt({
  reason,
  by,
}: {
  readonly reason: string;
  readonly by: string;
}): Promise<void> {
  const config = loadConfig('api');
  const caller = commandCaller();
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-adopt' });
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  const { client, namespace: name } = temporal;
  try {
    const namespace = await soon(temporal, () => lookUpNamespace(client, name));
    if (!namespace) throw new Error(`Temporal gives the namespace ${name} no id`);
    const { installationId, namespace: tied } = await findTie(database);
    if (tied?.id === namespace.id && namespace.holder === installationId) {
      console.log(`the runs are in ${name} (id ${namespace.id}) already: nothing to do`);
      return;
    }
    if (namespace.holder !== installationId) await refuseInUse(temporal, namespace);
    const holder = await soon(temporal, () => takeOverNamespace(client, installationId, `${by}: ${reason}`));
    const taken = holderProblem({ ...namespace, holder }, installationId);
    if (taken !== undefined) throw new NamespaceInUseError(taken);
    if (tied?.id !== namespace.id)
      await database.transaction((tx) => adoptNamespace(tx, { namespace, reason, by, caller }));
    console.log(`from now on the runs are in ${name} (id ${namespace.id})`);
    if (tied && tied.id !== namespace.id)
      console.log(
        `open operations whose run stayed in ${tied.name} (id ${tied.id}) become stuck (RUN_LOST) and take "retry"`,
      );
  } finally {
    await temporal.close();
    await database.close();
  }
}

/** What another installation still does here would be done by the workers of this one, which know nothing of it. */
async function refuseInUse(temporal: TemporalClient, { name, holder }: SeenNamespace): Promise<void> {
  if (holder === undefined) return;
  const { client } = temporal;
  const owner = `the namespace ${name} holds the runs of installation ${holder}`;
  const pollers = (await temporalOrchestrator(client).pollers())
    .filter(({ lastAccessAt }) => Date.now() - lastAccessAt.getTime() <= POLL_COUNTS_MS)
    .map(({ identity }) => identity);
  if (pollers.length > 0)
    throw new NamespaceInUseError(
      `${owner}, whose workers polled within ${POLL_COUNTS_MS / 1_000} s (${pollers.join(', ')}): ` +
        'stop them first, or choose another namespace (TEMPORAL_NAMESPACE)',
    );
  const query = `ExecutionStatus = "Running" AND TaskQueue = "${taskQueues.workflow}"`;
  const { count } = await soon(temporal, () =>
    client.workflowService.countWorkflowExecutions({ namespace: name, query }),
  );
  if (Number(count) > 0)
    throw new NamespaceInUseError(
      `${owner}, of which ${String(count)} are open: choose another namespace (TEMPORAL_NAMESPACE), or, when nobody ` +
        `is to finish them, end them first: temporal workflow terminate --namespace ${name} --query '${query}'`,
    );
}

function soon<T>({ client }: TemporalClient, call: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + 10_000, call);
}
