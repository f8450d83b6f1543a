import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { startLoop, type Loop } from '../loop.ts';
import { EncryptionCodec } from '../temporal/codec.ts';
import { defaultAttemptTimes } from '../webhooks/attempt.ts';
import { createDeliverer, DELIVER_EVERY_MS } from '../webhooks/deliverer.ts';
import { KEEP_EVERY_MS, keepWebhooks } from '../webhooks/keeper.ts';
import { resolveByDns } from '../webhooks/resolve.ts';

interface WebhookLoopDeps {
  readonly config: Pick<Config, 'payloadKeys' | 'webhookAllowLoopback'>;
  readonly database: Database;
  readonly installationId: string;
  readonly log: Logger;
}

/** Delivers events to webhooks, and looks after what waits. */
export function startWebhookLoops({ config, database, installationId, log }: WebhookLoopDeps): Loop[] {
  const deliver = createDeliverer({
    database,
    codec: new EncryptionCodec(config.payloadKeys),
    installationId,
    policy: { allowLoopback: config.webhookAllowLoopback },
    resolve: resolveByDns,
    times: defaultAttemptTimes,
    log,
  });
  return [
    startLoop({ name: 'webhooks', everyMs: DELIVER_EVERY_MS, log }, deliver),
    startLoop({ name: 'webhook-keeper', everyMs: KEEP_EVERY_MS, log }, (stop) => keepWebhooks({ database, log }, stop)),
  ];
}
