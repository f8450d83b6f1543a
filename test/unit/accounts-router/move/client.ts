import type { Schedule } from './schedule.ts';
import type { Process } from './world.ts';

/** What all clients together were told. */
export class Record {
  /** Rows whose write was acknowledged. */
  readonly written = new Set<string>();
  /** Rows whose deletion was begun, whatever became of it. */
  readonly deleting = new Set<string>();
  /** Rows whose deletion was acknowledged. */
  readonly deleted = new Set<string>();
  readonly faults: string[] = [];
  /** How often a call ended so: `ok`, or the name of an error. */
  readonly ends = new Map<string, number>();

  count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
  }

  /** What a read that begins now has to find, as far as nobody deletes it meanwhile; and what it must not. */
  expectation(): { readonly there: readonly string[]; readonly gone: readonly string[] } {
    return { there: [...this.written].filter((SK) => !this.deleting.has(SK)), gone: [...this.deleted] };
  }

  check(what: string, { there, gone }: ReturnType<Record['expectation']>, found: ReadonlySet<string>): void {
    for (const SK of there)
      if (!found.has(SK) && !this.deleting.has(SK)) this.faults.push(`${what} misses ${SK}, which was written`);
    for (const SK of gone) if (found.has(SK)) this.faults.push(`${what} has ${SK}, which was deleted`);
  }
}

type Found = { readonly SK: string };

/** Writes and reads rows of the account, one call after the other, and holds what it reads against what was acknowledged. */
export class Client {
  readonly #process: Process;
  readonly #schedule: Schedule;
  readonly #accountId: string;
  readonly #record: Record;
  readonly #name: string;
  #rows = 0;

  constructor(process: Process, schedule: Schedule, accountId: string, record: Record, name: string) {
    this.#process = process;
    this.#schedule = schedule;
    this.#accountId = accountId;
    this.#record = record;
    this.#name = name;
  }

  async run(calls: number): Promise<void> {
    for (let n = 0; n < calls; n += 1) {
      await this.#schedule.after(this.#schedule.random() * this.#schedule.pick([10, 300, 300, 2_000]));
      if (this.#schedule.chance(0.1)) this.#process.router.forget(this.#accountId);
      const call = this.#schedule.pick([
        this.#put,
        this.#put,
        this.#several,
        this.#change,
        this.#delete,
        this.#get,
        this.#query,
      ]);
      await this.#process
        .do(() => call.call(this))
        .then(
          () => this.#record.count('ok'),
          (error: unknown) => this.#record.count(error instanceof Error ? error.name : 'unknown'),
        );
    }
  }

  async #put(): Promise<void> {
    const SK = this.#newRow();
    const ConditionExpression = this.#schedule.chance(0.5) ? { ConditionExpression: 'attribute_not_exists(SK)' } : {};
    await this.#process.router.put(this.#accountId, { Item: { SK }, ...ConditionExpression });
    this.#record.written.add(SK);
  }

  async #several(): Promise<void> {
    const rows = [this.#newRow(), this.#newRow()];
    const { router } = this.#process;
    if (this.#schedule.chance(0.5))
      await router.batchWrite(this.#accountId, { Requests: rows.map((SK) => ({ PutRequest: { Item: { SK } } })) });
    else await router.transactWrite(this.#accountId, { TransactItems: rows.map((SK) => ({ Put: { Item: { SK } } })) });
    for (const SK of rows) this.#record.written.add(SK);
  }

  /** A condition that holds, where the row is looked for in the table that counts. */
  async #change(): Promise<void> {
    const SK = this.#anyRow();
    if (SK === undefined) return;
    const Item = { SK, changed: true };
    try {
      await this.#process.router.put(this.#accountId, { Item, ConditionExpression: 'attribute_exists(SK)' });
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException' && !this.#record.deleting.has(SK))
        this.#record.faults.push(`a condition was not met because ${SK} is missed, which was written`);
      throw error;
    }
  }

  async #delete(): Promise<void> {
    const own = this.#record.expectation().there.filter((SK) => SK.startsWith(`${this.#name}-`));
    if (own.length === 0) return;
    const SK = this.#schedule.pick(own);
    this.#record.deleting.add(SK);
    await this.#process.router.delete(this.#accountId, { Key: { SK } });
    this.#record.deleted.add(SK);
  }

  async #get(): Promise<void> {
    const SK = this.#anyRow();
    if (SK === undefined) return;
    const { gone } = this.#record.expectation();
    const { Item } = await this.#process.router.get<Found>(this.#accountId, { Key: { SK }, ConsistentRead: true });
    const expected = { there: [SK], gone: gone.filter((each) => each === SK) };
    this.#record.check('a get', expected, new Set(Item ? [Item.SK] : []));
  }

  async #query(): Promise<void> {
    const expected = this.#record.expectation();
    const found = new Set<string>();
    const input = { ConsistentRead: true, ...(this.#schedule.chance(0.5) && { Limit: 2 }) };
    for await (const { SK } of this.#process.router.queryItems<Found>(this.#accountId, input)) found.add(SK);
    this.#record.check('a query', expected, found);
  }

  #newRow(): string {
    this.#rows += 1;
    return `${this.#name}-${this.#rows}`;
  }

  #anyRow(): string | undefined {
    const { there } = this.#record.expectation();
    return there.length === 0 ? undefined : this.#schedule.pick(there);
  }
}

export function rowsOf(rows: readonly object[]): Set<string> {
  return new Set(rows.map((row) => ('SK' in row ? String(row.SK) : '')));
}
