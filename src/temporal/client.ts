import { Client, Connection } from '@temporalio/client';
import type { TemporalConnectConfig } from '../config.ts';
import { createDataConverter } from './data-converter.ts';
import { traceStarts } from './trace-header.ts';

/** A Temporal client that connects when it is first used and by itself again after an outage. */
export interface TemporalClient {
  readonly client: Client;
  readonly namespace: string;
  readonly close: () => Promise<void>;
}

/** Never throws because the server is unavailable: each call says so itself, within its own deadline. */
export function createTemporalClient(
  connect: TemporalConnectConfig,
  options: { payloadKeys: readonly Buffer[] },
): TemporalClient {
  const connection = Connection.lazy({
    ...connect.connectionOptions,
    connectTimeout: '3s',
    // The SDK's own retries go on by timer after `close`, and then end the process with "Channel has been shut down".
    // Who calls decides what is worth another try, within its deadline.
    interceptors: [],
    // After an outage gRPC would wait up to two minutes before it tries again.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 },
  });
  const namespace = connect.namespace ?? 'default';
  const client = new Client({
    connection,
    namespace,
    dataConverter: createDataConverter(options.payloadKeys),
    interceptors: { workflow: [traceStarts] },
  });
  return { client, namespace, close: () => connection.close() };
}
