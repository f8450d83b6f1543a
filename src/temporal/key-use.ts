import type { Client } from '@temporalio/client';
import type proto from '@temporalio/proto';
import { NAMESPACE_MARK } from './namespace-mark.ts';

/** Runs in Temporal that hold payloads under a key. */
export interface RunsOfKey {
  readonly open: number;
  readonly closed: number;
  /** Some of the open ones, by workflow id. */
  readonly examples: readonly string[];
}

const PAGE = 200;
const EXAMPLES = 5;

/**
 * Reads every history that the namespace keeps, without decrypting anything. The mark of the namespace is none: nothing of it is ever read.
 * @param onProgress called with the number of runs that were read
 * @returns by the id of the key; a run that went on under another key counts for each
 */
export async function readKeyUse(
  { client, namespace }: { readonly client: Client; readonly namespace: string },
  onProgress: (read: number) => void,
): Promise<Map<string, RunsOfKey>> {
  const found = new Map<string, RunsOfKey>();
  let read = 0;
  for await (const { execution, isOpen } of runsOf(client, namespace)) {
    for (const key of await keysOf(client, namespace, execution)) {
      const { closed, examples, open } = found.get(key) ?? { open: 0, closed: 0, examples: [] };
      const named = isOpen && examples.length < EXAMPLES ? [...examples, execution.workflowId ?? ''] : examples;
      found.set(key, { open: open + (isOpen ? 1 : 0), closed: closed + (isOpen ? 0 : 1), examples: named });
    }
    onProgress((read += 1));
  }
  return found;
}

interface Run {
  readonly execution: proto.temporal.api.common.v1.IWorkflowExecution;
  readonly isOpen: boolean;
}

async function* runsOf(client: Client, namespace: string): AsyncGenerator<Run> {
  for (let nextPageToken: Uint8Array | undefined; ;) {
    const page = await client.workflowService.listWorkflowExecutions({ namespace, pageSize: PAGE, nextPageToken });
    for (const { closeTime, execution } of page.executions)
      if (execution && execution.workflowId !== NAMESPACE_MARK)
        yield { execution, isOpen: closeTime === null || closeTime === undefined };
    if (page.nextPageToken.length === 0) return;
    ({ nextPageToken } = page);
  }
}

async function keysOf(client: Client, namespace: string, execution: Run['execution']): Promise<Set<string>> {
  const keys = new Set<string>();
  for (let nextPageToken: Uint8Array | undefined; ;) {
    const page = await client.workflowService.getWorkflowExecutionHistory({ namespace, execution, nextPageToken });
    collect(page.history, keys);
    if (page.nextPageToken.length === 0) return keys;
    ({ nextPageToken } = page);
  }
}

/** Payloads stand at many places of an event, and failures hold each other. */
function collect(value: unknown, keys: Set<string>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  const key: unknown = Reflect.get(value, 'encryption-key-id');
  if (key instanceof Uint8Array) keys.add(Buffer.from(key).toString());
  for (const part of Object.values(value)) collect(part, keys);
}
