import { elapsedMs, now, type Instant } from './instant.ts';

export interface AccountCacheOptions<V> {
  readonly load: (accountId: string, askedAt: Instant) => Promise<V>;
  /** How long an answer stays, from the question on. */
  readonly ttlMs: (value: V) => number;
  /** How long a failure stays that is an answer about the account; 0: it is forgotten at once. */
  readonly failureTtlMs: (error: unknown) => number;
  /** Above it, the one that was asked for first goes. */
  readonly mostEntries: number;
}

interface Entry<V> {
  readonly found: Promise<V>;
  /** The answer is as old as the question. */
  readonly askedAt: Instant;
  /** Infinity while the answer is awaited. */
  ttlMs: number;
  /** Undefined until the answer is there. */
  value: V | undefined;
}

/** What is known of accounts: one question at a time for each, however many ask; answers and refusals for their time. */
export class AccountCache<V> {
  readonly #options: AccountCacheOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();

  constructor(options: AccountCacheOptions<V>) {
    this.#options = options;
  }

  get(accountId: string): Promise<V> {
    return (this.#freshEntry(accountId) ?? this.#ask(accountId)).found;
  }

  /** The answer after one that turned out to be wrong: asked anew, unless somebody else has done so since. */
  refresh(accountId: string, wrong: V): Promise<V> {
    const entry = this.#freshEntry(accountId);
    return (entry && entry.value !== wrong ? entry : this.#ask(accountId)).found;
  }

  /** An answer to a question that was asked at that moment or later. */
  since(accountId: string, moment: Instant): Promise<V> {
    const entry = this.#entries.get(accountId);
    const isLater = entry !== undefined && entry.askedAt.monotonicMs >= moment.monotonicMs;
    return (isLater ? entry : this.#ask(accountId)).found;
  }

  /** What is being asked right now is answered to those who wait for it, and not kept. */
  forget(accountId: string): void {
    this.#entries.delete(accountId);
  }

  /** Keeps a failure that was found out elsewhere, instead of the answer that it proves wrong. */
  refute(accountId: string, wrong: V, error: Error): void {
    const entry = this.#entries.get(accountId);
    if (!entry || entry.value !== wrong) return;
    const found = Promise.reject<V>(error);
    found.catch(() => undefined);
    this.#entries.set(accountId, { found, askedAt: now(), ttlMs: this.#options.failureTtlMs(error), value: undefined });
  }

  #freshEntry(accountId: string): Entry<V> | undefined {
    const entry = this.#entries.get(accountId);
    return entry && elapsedMs(entry.askedAt) < entry.ttlMs ? entry : undefined;
  }

  #ask(accountId: string): Entry<V> {
    const { load, ttlMs, failureTtlMs } = this.#options;
    const askedAt = now();
    const entry: Entry<V> = { found: load(accountId, askedAt), askedAt, ttlMs: Infinity, value: undefined };
    this.#entries.delete(accountId);
    this.#entries.set(accountId, entry);
    this.#evict();
    entry.found.then(
      (value) => {
        entry.value = value;
        entry.ttlMs = ttlMs(value);
      },
      (error: unknown) => {
        entry.ttlMs = failureTtlMs(error);
        if (entry.ttlMs === 0 && this.#entries.get(accountId) === entry) this.#entries.delete(accountId);
      },
    );
    return entry;
  }

  #evict(): void {
    for (const accountId of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.mostEntries) return;
      this.#entries.delete(accountId);
    }
  }
}
