/** The loops of a worker that deliver events, as a process of their own; ends by a signal. Arguments: the database's URL, a payload key in base64. */
import { pino } from 'pino';
import { createDatabase } from '../../src/db/database.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { startWebhookLoops } from '../../src/worker/webhooks.ts';

const [url = '', key = ''] = process.argv.slice(2);
const database = createDatabase({ url });
startWebhookLoops({
  config: { payloadKeys: [Buffer.from(key, 'base64')], webhookAllowLoopback: true },
  database,
  installationId: await findInstallationId(database),
  log: pino({ level: 'warn' }),
});
