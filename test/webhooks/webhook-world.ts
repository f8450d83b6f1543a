import { pino } from 'pino';
import { afterEach, beforeEach } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import type { ClientDeps } from '../../src/client/requests.ts';
import type { WebhookWithSecretView } from '../../src/client/webhook-views.ts';
import { unkeyed } from '../../src/client/once.ts';
import { createWebhookClient, type WebhookClient, type WebhookInput } from '../../src/client/webhooks.ts';
import type { Database } from '../../src/db/database.ts';
import { appendEvent } from '../../src/db/events.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { createDeliverer, type DelivererDeps } from '../../src/webhooks/deliverer.ts';
import { FakeOrchestrator } from '../api/fake-orchestrator.ts';
import { cell, platform, seedTenant, type Seeded } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';
import { useControlDatabase } from '../support/database.ts';
import { startReceiver, type Received, type Receiver } from './receiver.ts';

export const payloadKey = Buffer.alloc(32, 9);
export const codec = new EncryptionCodec([payloadKey]);
export const INSTALLATION = '11111111-2222-4333-8444-555555555555';

/** A database, webhooks in it, and a receiver for each test. */
export interface WebhookWorld {
  readonly db: Database;
  readonly client: WebhookClient;
  readonly receiver: Receiver;
  /** Lines of the deliverer's log. */
  readonly lines: Record<string, unknown>[];
  /** A worker's round, until nothing is under way any more. */
  round(over?: Partial<DelivererDeps>): Promise<void>;
  webhook(input?: Partial<WebhookInput>): Promise<WebhookWithSecretView>;
  /** A tenant whose making nobody is told of. */
  tenant(): Promise<Seeded>;
  /** A change of status of a tenant. */
  change(tenant: Seeded, to?: string): Promise<void>;
  /** What waits for another attempt, or for a lease to end, is due now. */
  letTimePass(): Promise<void>;
}

export function useWebhookWorld(): { readonly current: WebhookWorld } {
  let db: Database;
  let current: WebhookWorld | undefined;
  useControlDatabase((opened) => (db = opened));
  beforeEach(async () => {
    // What earlier tests left is none of this one's.
    await db.query('update webhooks set deleted_at = now() where deleted_at is null');
    current = open(db, await startReceiver());
  });
  afterEach(() => current?.receiver.close());
  return {
    get current() {
      if (!current) throw new Error('there is no world before the first test');
      return current;
    },
  };
}

function open(db: Database, receiver: Receiver): WebhookWorld {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) },
  );
  const client = createWebhookClient(clientDeps(db), (by, run) => run(by, unkeyed));
  const deps: DelivererDeps = {
    ...{ database: db, codec, installationId: INSTALLATION, log, policy: { allowLoopback: true } },
    resolve: () => Promise.reject(new Error('nothing is to be resolved')),
    times: { connectMs: 500, answerMs: 800, drainMs: 200 },
  };
  return {
    db,
    client,
    receiver,
    lines,
    round: (over = {}) => createDeliverer({ ...deps, ...over })(),
    webhook: (input = {}) => client.create(testCaller, { url: receiver.url, ...input }),
    tenant: () => seedTenant(db),
    change: ({ tenantId, operationId }, to = 'validating') =>
      db.transaction((tx) =>
        appendEvent(tx, {
          ...{ cell: cell.id, tenantId, operationId, type: 'tenant.status' },
          data: { from: 'pending', to, contactEmail: 'somebody@tenants.test' },
        }),
      ),
    letTimePass: async () => {
      await db.query(`update webhook_queues set next_attempt_at = now() where next_attempt_at <> 'infinity'`);
    },
  };
}

export function clientDeps(db: Database): ClientDeps {
  return {
    ...{ database: db, orchestrator: new FakeOrchestrator(db), platform, catalog: defaultCatalog, codec },
    webhookPolicy: { allowLoopback: true },
    log: pino({ level: 'silent' }),
  };
}

/** What was received, once its signature was verified by the library of Standard Webhooks. */
export function verified({ body, headers }: Received, secret: string): { type: string; data: Record<string, unknown> } {
  return new Webhook(secret).verify(body, headers as Record<string, string>) as ReturnType<typeof verified>;
}

/** What of a body tells the order. */
export const toOf = ({ body }: Received) => (JSON.parse(body) as { data: { to?: string } }).data.to;
export const tenantOf = ({ body }: Received) => (JSON.parse(body) as { data: { tenantId: string } }).data.tenantId;
export const idOf = ({ headers }: Received) => headers['webhook-id'];
