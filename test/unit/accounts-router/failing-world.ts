import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { vi } from 'vitest';
import { fenceKey, leaseParameterName, moveParameterName } from '../../../src/accounts-router/fence.ts';
import { createAccountsAdmin, createAccountsRouter } from '../../../src/accounts-router/index.ts';
import { own, ownId } from './fixture.ts';
import { idOf, named, Tables, type Row, type Sent } from './move/tables.ts';

export const leaseMs = 30_000;
export const moveWaitMs = 20_000;
/** Calls on the fence item (reading it, registering), on rows, and on SSM. */
type Question = 'look' | 'registration' | 'row' | 'ssm';
type FenceState = 'open' | 'closed' | 'moved';

/** An account in the shared table, whose move is as far as its fence says; its calls fail when they are told to. */
export function openFailingWorld(state?: FenceState) {
  const tables = new Tables();
  for (const table of ['shared', 'own']) tables.make(table);
  const fence: Row = { ...fenceKey(ownId), state, toTable: 'own', moveId: 'm', writers: {} };
  if (state) tables.rows('shared').set(idOf(fenceKey(ownId)), fence);
  const parameters = new Map<string, string>();
  const setParameters = (values: Record<string, string>) => {
    for (const [name, value] of Object.entries(values)) parameters.set(name, value);
  };
  setParameters({
    ...{ [`/accounts/${ownId}/cloud-type`]: 'public', [`/accounts/${ownId}/provisioning-status`]: 'active' },
    ...{ '/platform/dynamodb/shared-table-name': 'shared', [leaseParameterName]: String(leaseMs / 1_000) },
    ...(state && { [moveParameterName(ownId)]: 'own' }),
  });
  const failures = new Map<Question, { times: number; readonly error: Error }>();
  const asked: Question[] = [];
  const events: { onRow?: () => void } = {};
  const ask = async (question: Question) => {
    asked.push(question);
    await Promise.resolve();
    const failure = failures.get(question);
    if (!failure?.times) return;
    failure.times -= 1;
    throw failure.error;
  };
  const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
  dynamodb.send = async (command: Sent): Promise<never> => {
    const question = questionOf(command);
    await ask(question);
    const answer = tables.apply(command);
    if (question === 'row') events.onRow?.();
    return answer as never;
  };
  const ssm = Object.create(SSMClient.prototype) as SSMClient;
  ssm.send = async (): Promise<never> => {
    await ask('ssm');
    return { Parameters: [...parameters].map(([Name, Value]) => ({ Name, Value })) } as never;
  };
  return {
    ...{ ssm, setParameters },
    router: createAccountsRouter({ dynamodb, ssm, moveWaitMs }),
    admin: createAccountsAdmin({ dynamodb, ssm }),
    /** What happens once a row was written or read, and before its answer is there. */
    onRow: (event: () => void) => void (events.onRow = event),
    fail: (question: Question, times: number, error = named('TimeoutError')) =>
      void failures.set(question, { times, error }),
    set: (state: FenceState) => void (fence['state'] = state),
    endMove(part?: 'fence only') {
      tables.rows('shared').delete(idOf(fenceKey(ownId)));
      if (!part) parameters.delete(moveParameterName(ownId));
    },
    rows: (table: string) => tables.partition(table, own).map((row) => row['SK']),
    count: (question: Question) => asked.filter((each) => each === question).length,
  };
}

function questionOf(command: Sent): Question {
  if (command.constructor.name === 'UpdateCommand') return 'registration';
  return JSON.stringify(command.input).includes('#FENCE"') ? 'look' : 'row';
}

/** How a call ends, and after how long; time passes meanwhile. */
export async function endOf(call: Promise<unknown>) {
  const beganMs = performance.now();
  let end: { readonly error: unknown; readonly afterMs: number } | undefined;
  const note = (error: unknown) => void (end = { error, afterMs: performance.now() - beganMs });
  call.then(() => note(undefined), note);
  for (let steps = 0; !end; steps += 1) {
    if (steps > 2_000) throw new Error('the call does not end');
    await vi.advanceTimersByTimeAsync(50);
  }
  return end;
}
