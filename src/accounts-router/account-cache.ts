export interface AccountCacheOptions<V> {
  readonly load: (accountId: string) => Promise<V>;
  readonly ttlMs: number;
  /** How long a failure stays that {@link isKnown} says is an answer. */
  readonly negativeTtlMs: number;
  /** A failure that is an answer about the account; any other is forgotten at once. */
  readonly isKnown: (error: unknown) => boolean;
  /** Above it, the one that was asked for first goes. */
  readonly mostEntries: number;
}

interface Entry<V> {
  readonly found: Promise<V>;
  /** Infinity while the answer is awaited. */
  staleAtMs: number;
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
    this.#entries.set(accountId, {
      found,
      staleAtMs: performance.now() + this.#options.negativeTtlMs,
      value: undefined,
    });
  }

  #freshEntry(accountId: string): Entry<V> | undefined {
    const entry = this.#entries.get(accountId);
    return entry && performance.now() < entry.staleAtMs ? entry : undefined;
  }

  #ask(accountId: string): Entry<V> {
    const { load, ttlMs, negativeTtlMs, isKnown } = this.#options;
    // The answer is as old as the question.
    const askedAtMs = performance.now();
    const entry: Entry<V> = { found: load(accountId), staleAtMs: Infinity, value: undefined };
    this.#entries.delete(accountId);
    this.#entries.set(accountId, entry);
    this.#evict();
    entry.found.then(
      (value) => {
        entry.value = value;
        entry.staleAtMs = askedAtMs + ttlMs;
      },
      (error: unknown) => {
        entry.staleAtMs = askedAtMs + (isKnown(error) ? negativeTtlMs : 0);
        if (!isKnown(error) && this.#entries.get(accountId) === entry) this.#entries.delete(accountId);
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
