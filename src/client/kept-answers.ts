import { setTimeout } from 'node:timers/promises';
import type { PayloadCodec } from '@temporalio/common';
import { findToldKey, lookUpKey, type KeyName, type KeyRow } from '../db/idempotency-keys.ts';
import { unseal } from '../temporal/sealed.ts';
import type { RequestKey } from './request-key.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
import type { WorkersView } from './views.ts';

/** As it is stored under a key. */
export interface StoredAnswer<T> {
  readonly outcome: T;
  readonly workers: WorkersView;
}

/** In ms: as long as repeats beside each other take to mark the row, one after the other. */
const looks = [20, 40, 80];

/** What is there for a request under its key. @throws RequestError IDEMPOTENCY_KEY_IN_USE, IDEMPOTENCY_KEY_REUSED */
export async function foundUnder(
  { database }: Pick<ClientDeps, 'database'>,
  { name, requestKey: { requestHash } }: { readonly name: KeyName; readonly requestKey: RequestKey },
): Promise<KeyRow | undefined> {
  const look = async () => {
    const found = await lookUpKey(database, name, requestHash);
    return found === 'in-use' ? ((await findToldKey(database, name)) ?? found) : found;
  };
  let found = await look();
  for (const ms of looks) {
    if (found !== 'in-use') break;
    await setTimeout(ms);
    found = await look();
  }
  if (found === 'in-use') throw inUse(name);
  if (found && found.requestHash !== requestHash) throw reused(name);
  return found;
}

/** Answers as the first time was answered. */
export async function replayed<T>(codec: PayloadCodec, { onKept }: RequestKey, answer: Buffer): Promise<T> {
  const { outcome, workers } = await unseal<StoredAnswer<T>>(codec, answer);
  onKept({ workers, isReplayed: true });
  return outcome;
}

/** Answers hold names and addresses of people: they are stored encrypted only. */
export function codecOf({ codec }: Pick<ClientDeps, 'codec'>): PayloadCodec {
  if (codec) return codec;
  throw new Error('answers under idempotency keys are stored encrypted, and there is nothing to encrypt them with');
}

export function inUse({ key }: KeyName): RequestError {
  return new RequestError(
    'IDEMPOTENCY_KEY_IN_USE',
    `the first request with the Idempotency-Key "${key}" is still at work: send it again for its answer`,
    { details: { header: 'idempotency-key' }, retryAfterSeconds: 1 },
  );
}

function reused({ key }: KeyName): RequestError {
  return new RequestError(
    'IDEMPOTENCY_KEY_REUSED',
    `another request was sent with the Idempotency-Key "${key}", and nothing was changed: a key stands for one request`,
    { details: { header: 'idempotency-key' } },
  );
}
