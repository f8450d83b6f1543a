import { loadConfig } from '../config.ts';
import { createDatabase } from '../db/database.ts';
import { adoptNamespace, findNamespace } from '../db/temporal-namespaces.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { lookUpNamespace } from '../temporal/namespace.ts';

/** Ties the database to the namespace that the environment names, and prints what that means. */
export async function adoptNamespaceAt({
  reason,
  by,
}: {
  readonly reason: string;
  readonly by: string;
}): Promise<void> {
  const config = loadConfig('api');
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-adopt' });
  const { client, namespace: name, close } = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  try {
    const namespace = await client.withDeadline(Date.now() + 10_000, () => lookUpNamespace(client, name));
    if (!namespace) throw new Error(`Temporal gives the namespace ${name} no id`);
    const tied = await findNamespace(database);
    if (tied?.id === namespace.id) {
      console.log(`the runs are in ${name} (id ${namespace.id}) as it is: nothing to do`);
      return;
    }
    await database.transaction((tx) => adoptNamespace(tx, { namespace, reason, by }));
    console.log(`from now on the runs are in ${name} (id ${namespace.id})`);
    if (tied)
      console.log(
        `open operations whose run stayed in ${tied.name} (id ${tied.id}) become stuck (RUN_LOST) and take "retry"`,
      );
  } finally {
    await close();
    await database.close();
  }
}
