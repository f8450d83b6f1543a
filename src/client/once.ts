import { randomUUID } from 'node:crypto';
import type { PayloadCodec } from '@temporalio/common';
import type { Caller } from '../contracts/caller.ts';
import { insertAuditEntry, type AuditFacts, type NewAuditEntry } from '../db/audit-entries.ts';
import type { Queryable } from '../db/database.ts';
import {
  freeKey,
  recordAskedRun,
  storeAnswer,
  takeKey,
  type AskedRun,
  type KeyName,
  type KeyRow,
} from '../db/idempotency-keys.ts';
import { seal } from '../temporal/sealed.ts';
import { codecOf, foundUnder, inUse, replayed, type StoredAnswer } from './kept-answers.ts';
import type { KeyedCaller, RequestKey } from './request-key.ts';
import type { ClientDeps } from './requests.ts';
import type { WorkersView } from './views.ts';

/** What the audit holds of a request; `unchanged`: nothing, for it changed nothing. */
export type Audited = AuditFacts | 'unchanged';

/** What a request is answered with, from its own transaction. */
export interface Kept<T> {
  readonly outcome: T;
  /** That was accepted with it. */
  readonly operationId?: string | undefined;
  /** What the audit holds of it, besides that operation; or how to read that in the transaction. */
  readonly audit?: Audited | ((tx: Queryable) => Promise<Audited>) | undefined;
}

/** How a request keeps its outcome, so that a repeat of it under the same key changes nothing more (docs/adr/0023). */
export interface Once<T> {
  /** Of what a run is asked: the same at each repeat. Undefined: there is no key. */
  readonly askId?: string | undefined;
  /** What an earlier time was to ask of a run, without an answer that is known. */
  readonly asked?: AskedRun | undefined;
  /**
   * Runs what changes something within its transaction, and stores its outcome there. Nothing is stored when `keptOf` answers
   * undefined. @throws RequestError IDEMPOTENCY_KEY_IN_USE
   */
  write<W>(tx: Queryable, work: () => Promise<W>, keptOf: (written: W) => Kept<T> | undefined): Promise<W>;
  /** Runs what records a request to a run within its transaction, and stores what it answers. @throws RequestError IDEMPOTENCY_KEY_IN_USE */
  ask(tx: Queryable, work: () => Promise<AskedRun>, audit: AuditFacts): Promise<AskedRun>;
  /** The run has taken it. */
  taken(outcome: T): Promise<void>;
  /** No run takes it: the key is free again. */
  refused(): Promise<void>;
}

/** Of a request without a key. */
export const unkeyed: Once<unknown> = {
  write: (_tx, work) => work(),
  ask: (_tx, work) => work(),
  taken: () => Promise.resolve(),
  refused: () => Promise.resolve(),
};

type OnceDeps = Pick<ClientDeps, 'database' | 'codec' | 'log'>;

/** Carries requests out, once for each key of a caller. */
export type CarryOut = <T>(caller: KeyedCaller, run: (caller: Caller, once: Once<T>) => Promise<T>) => Promise<T>;

/**
 * A repeat is answered as the first time was. While one is at work under a key, no other is: a lock of the process's session shows that,
 * and goes with the process. What is stored under the key keeps changes apart also when that lock is lost.
 */
export function carryOutOnce(deps: OnceDeps, workersSeen: () => WorkersView): CarryOut {
  return async ({ requestKey, action = 'unknown', ...caller }, unaudited) => {
    const run: typeof unaudited = (by, once) => unaudited(by, audited(once, { action, caller: by }));
    if (!requestKey) return run(caller, unkeyed);
    const name = { principal: caller.principal, key: requestKey.key };
    const lock = JSON.stringify(['idempotency-key', name.principal, name.key]);
    const held = await deps.database.withLock(lock, () => alone(deps, workersSeen, { name, requestKey, caller, run }));
    return held ? held.value : besideAnother(deps, { name, requestKey });
  };
}

/**
 * Every change leaves an entry in the audit, in its own transaction: whoever changes something by `once` cannot forget it, and says so
 * where nothing was changed.
 */
function audited<T>(once: Once<T>, by: Pick<NewAuditEntry, 'action' | 'caller'>): Once<T> {
  return {
    ...once,
    write: async (tx, work, keptOf) => {
      let kept: Kept<T> | undefined;
      const written = await once.write(tx, work, (answered) => (kept = keptOf(answered)));
      // Without a key nobody has asked what is kept.
      kept ??= keptOf(written);
      if (!kept) return written;
      const facts = typeof kept.audit === 'function' ? await kept.audit(tx) : kept.audit;
      if (facts !== 'unchanged')
        await insertAuditEntry(tx, { ...by, outcome: 'done', operationId: kept.operationId, ...facts });
      return written;
    },
    ask: async (tx, work, facts) => {
      const run = await once.ask(tx, work, facts);
      await insertAuditEntry(tx, { ...by, outcome: 'asked', operationId: run.operationId, ...facts });
      return run;
    },
  };
}

interface Keyed<T> {
  readonly name: KeyName;
  readonly requestKey: RequestKey;
  readonly caller: Caller;
  readonly run: (caller: Caller, once: Once<T>) => Promise<T>;
}

async function alone<T>(deps: OnceDeps, workersSeen: () => WorkersView, keyed: Keyed<T>): Promise<T> {
  const { name, requestKey, caller, run } = keyed;
  const codec = codecOf(deps);
  const found = await foundUnder(deps, keyed);
  if (found?.answer) return replayed(codec, requestKey, found.answer);
  return run(caller, keeping(deps, { name, requestKey, found, workersSeen, codec }));
}

/** Another request has the lock: a repeat like this one when the key has its answer, else the first. @throws RequestError IDEMPOTENCY_KEY_IN_USE */
async function besideAnother<T>(deps: OnceDeps, repeat: Pick<Keyed<T>, 'name' | 'requestKey'>): Promise<T> {
  const codec = codecOf(deps);
  const found = await foundUnder(deps, repeat);
  if (!found?.answer) throw inUse(repeat.name);
  return replayed(codec, repeat.requestKey, found.answer);
}

interface Keeping {
  readonly name: KeyName;
  readonly requestKey: RequestKey;
  readonly found: KeyRow | undefined;
  readonly workersSeen: () => WorkersView;
  readonly codec: PayloadCodec;
}

function keeping<T>({ database, log }: OnceDeps, { name, requestKey, found, workersSeen, codec }: Keeping): Once<T> {
  const id = found?.id ?? randomUUID();
  const take = async (tx: Queryable) => {
    if (!(await takeKey(tx, { id, ...name, requestHash: requestKey.requestHash }))) throw inUse(name);
  };
  const store = async (db: Queryable, { outcome, operationId }: Kept<T>) => {
    const workers = workersSeen();
    const answer = await seal(codec, { outcome, workers } satisfies StoredAnswer<T>);
    await storeAnswer(db, id, { answer, operationId });
    requestKey.onKept({ workers, isReplayed: false });
  };
  /** What is asked again is answered again. */
  const orLeave = (stored: Promise<void>) =>
    stored.catch((error: unknown) => log.warn({ err: error }, 'the answer under an idempotency key was not stored'));
  return {
    askId: id,
    asked: found?.asked ?? undefined,
    write: async (tx, work, keptOf) => {
      await take(tx);
      const written = await work();
      const kept = keptOf(written);
      await (kept ? store(tx, kept) : freeKey(tx, id));
      return written;
    },
    ask: async (tx, work) => {
      await take(tx);
      const run = await work();
      await recordAskedRun(tx, id, run);
      return run;
    },
    taken: (outcome) => orLeave(store(database, { outcome })),
    refused: () => orLeave(freeKey(database, id)),
  };
}
