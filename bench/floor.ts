import { randomUUID } from 'node:crypto';
import { OrchestratorUnreachableError } from '../src/client/orchestrator.ts';
import { temporalOrchestrator } from '../src/client/temporal-orchestrator.ts';
import { loadConfig } from '../src/config.ts';
import { createDatabase } from '../src/db/database.ts';
import { createTemporalClient } from '../src/temporal/client.ts';
import type { Stand } from './stand.ts';

/** What no acceptance can go below on this machine: its start in Temporal, and one write to PostgreSQL, by the product's own clients. */
export interface Floor {
  /** Starts a run that belongs to no operation. One without an answer takes the product's own deadline. */
  start(): Promise<unknown>;
  /** Commits one small row. */
  insert(): Promise<unknown>;
  close(): Promise<void>;
}

export async function openFloor({ parts }: Stand): Promise<Floor> {
  const config = loadConfig('api', parts.env);
  const temporal = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  const orchestrator = temporalOrchestrator(temporal.client);
  const database = createDatabase({ url: config.databaseUrl, applicationName: 'tenantry-bench' });
  await database.query('create table bench_floor (id uuid primary key)');
  return {
    start: () => {
      const id = randomUUID();
      return orchestrator
        .start({
          operationId: id,
          type: 'provision',
          workflowId: `bench.${id}`,
          tenantId: id,
          product: 'moamalat',
          slug: id,
          tier: null,
          tenantStatus: 'pending',
        })
        .catch((error: unknown) => {
          if (!(error instanceof OrchestratorUnreachableError)) throw error;
        });
    },
    insert: () => database.query('insert into bench_floor values ($1)', [randomUUID()]),
    close: async () => {
      await temporal.close();
      await database.close();
    },
  };
}
