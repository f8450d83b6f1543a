import { randomUUID } from 'node:crypto';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client.ts';
import { part } from './parts.ts';

/** Two namespaces of the Temporal that the run shares: its own, and one that no other test file knows. */
export interface Namespaces {
  readonly address: string;
  readonly own: TemporalClient;
  readonly other: TemporalClient;
  close(): Promise<void>;
}

export async function openNamespaces(payloadKey: Buffer = Buffer.alloc(32, 1)): Promise<Namespaces> {
  const { address } = await part('temporal');
  const connect = (namespace: string) =>
    createTemporalClient({ connectionOptions: { address }, namespace }, { payloadKeys: [payloadKey] });
  const [own, other] = [connect('default'), connect(`other-${randomUUID()}`)];
  await other.client.workflowService.registerNamespace({
    namespace: other.namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const close = async () => {
    await Promise.all([own.close(), other.close()]);
  };
  return { address, own, other, close };
}
