import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client.ts';
import { part } from './parts.ts';

/** Two namespaces of the Temporal that the run shares, which no other test file knows; `other` has no search attributes. */
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
  const [own, other] = [connect(`own-${randomUUID()}`), connect(`other-${randomUUID()}`)];
  await Promise.all([register(own), register(other)]);
  await registerSearchAttributes(own.client, own.namespace);
  const close = async () => {
    await Promise.all([own.close(), other.close()]);
  };
  return { address, own, other, close };
}

/** The server learns of a new namespace a little later. */
async function register({ client, namespace }: TemporalClient): Promise<void> {
  await client.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  for (let tries = 0; tries < 120; tries += 1) {
    const isKnown = await client.workflowService.listSchedules({ namespace }).then(
      () => true,
      () => false,
    );
    if (isKnown) return;
    await sleep(250);
  }
  throw new Error(`Temporal does not come to know the namespace ${namespace}`);
}
