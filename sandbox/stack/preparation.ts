import { loadConfig } from '../../src/config.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTemporalClient } from '../../src/temporal/client.ts';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import type { Parts } from './parts.ts';

/** What production does by hand once: migrations and search attributes. Safe to repeat. */
export async function prepare(parts: Parts): Promise<void> {
  const config = loadConfig('worker', { ...process.env, ...parts.env });
  await migrate(config.databaseUrl);
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  try {
    await registerSearchAttributes(temporal.client, temporal.namespace);
  } finally {
    await temporal.close();
  }
}
