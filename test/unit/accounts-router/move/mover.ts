import { fenceKey, leaseTimes, moveParameterName } from '../../../../src/accounts-router/fence.ts';
import { accountPartition } from '../../../../src/accounts-router/index.ts';
import type { Schedule } from './schedule.ts';
import { copyOf, idOf, type Row } from './tables.ts';
import { brokenAfterMs, leaseSeconds, sharedTable, type World } from './world.ts';

/** What is left out of the contract, to see that it is needed. */
export interface MoverFaults {
  readonly noLease?: boolean;
  readonly noSettling?: boolean;
}

/** Moves an account as the contract says (docs/adr/0022-moving-an-account.md), with failures and ways back where the schedule has them. */
export class Mover {
  readonly #world: World;
  readonly #schedule: Schedule;
  readonly #accountId: string;
  readonly #faults: MoverFaults;

  constructor(world: World, schedule: Schedule, accountId: string, faults: MoverFaults) {
    this.#world = world;
    this.#schedule = schedule;
    this.#accountId = accountId;
    this.#faults = faults;
  }

  /** @returns the table that the account's rows are in at the end */
  async run(): Promise<string> {
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await this.#schedule.after(this.#schedule.random() * 3_000);
      const toTable = `own-${attempt}`;
      if (await this.#attempt(toTable, `move-${attempt}`)) return toTable;
    }
    return sharedTable;
  }

  /** @returns whether it was moved; if not, it is as before */
  async #attempt(toTable: string, moveId: string): Promise<boolean> {
    this.#world.tables.make(toTable);
    const fence: Row = { ...fenceKey(this.#accountId), state: 'open', toTable, moveId, writers: {} };
    this.#world.tables.rows(sharedTable).set(idOf(fenceKey(this.#accountId)), fence);
    await this.#schedule.turn();
    this.#world.setParameter(moveParameterName(this.#accountId), toTable);
    // By a clock that is a tenth fast.
    if (!this.#faults.noLease) await this.#schedule.after(leaseTimes(leaseSeconds).awaitMs / 1.1);
    await this.#copy(toTable);
    if (this.#fails()) return this.#backOut(toTable, 'as they were');
    while (!(await this.#close(fence, toTable))) if (this.#fails()) return this.#backOut(toTable, 'as they were');
    await this.#say({ 'cloud-type': 'private', 'dynamodb/table-name': toTable });
    if (!this.#faults.noSettling) await this.#schedule.after(this.#schedule.random() * 2_000);
    if (this.#fails()) {
      fence['state'] = 'open';
      return this.#backOut(toTable, 'changed');
    }
    fence['state'] = 'moved';
    this.#world.noteSwitch();
    await this.#retire('changed', () => this.#deleteOldRows());
    return true;
  }

  #fails(): boolean {
    return this.#schedule.chance(0.2);
  }

  /** Page by page, while writers write: what it copies may be old the moment after. */
  async #copy(toTable: string): Promise<void> {
    const PK = accountPartition(this.#accountId);
    for (let after = ''; ;) {
      await this.#schedule.turn();
      const page = this.#world.tables.partition(sharedTable, PK).filter((row) => String(row['SK']) > after);
      const rows = page.slice(0, 3);
      for (const row of rows) this.#put(toTable, row);
      if (rows.length === 0) return;
      after = String(rows.at(-1)?.['SK']);
    }
  }

  /** @returns false when it failed, and the fence is open again */
  async #close(fence: Row, toTable: string): Promise<boolean> {
    await this.#schedule.turn();
    fence['state'] = 'closed';
    const closedAtMs = performance.now();
    const writers = () => Object.keys(fence['writers'] as object);
    await this.#schedule.turn(() => writers().length === 0 || performance.now() >= closedAtMs + brokenAfterMs);
    for (const id of writers()) {
      await this.#schedule.turn();
      Reflect.deleteProperty(fence['writers'] as object, id);
    }
    await this.#schedule.turn();
    const isOver = !this.#fails();
    if (isOver) await this.#makeEqual(toTable);
    else fence['state'] = 'open';
    return isOver;
  }

  async #makeEqual(toTable: string): Promise<void> {
    const PK = accountPartition(this.#accountId);
    const shared = new Set(this.#world.tables.partition(sharedTable, PK).map((row) => row['SK']));
    for (const row of this.#world.tables.partition(sharedTable, PK)) this.#put(toTable, row);
    await this.#schedule.turn();
    for (const { SK } of this.#world.tables.partition(toTable, PK))
      if (!shared.has(SK)) this.#world.tables.rows(toTable).delete(idOf({ PK, SK: String(SK) }));
  }

  #put(table: string, row: Row): void {
    this.#world.tables.rows(table).set(idOf({ PK: String(row['PK']), SK: String(row['SK']) }), copyOf(row));
  }

  async #say(parameters: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(parameters)) {
      await this.#schedule.turn();
      this.#world.setParameter(`/accounts/${this.#accountId}/${name}`, value);
    }
  }

  async #backOut(toTable: string, parameters: 'changed' | 'as they were'): Promise<false> {
    if (parameters === 'changed') await this.#say({ 'dynamodb/table-name': sharedTable, 'cloud-type': 'public' });
    await this.#retire(parameters);
    this.#world.tables.drop(toTable);
    return false;
  }

  async #deleteOldRows(): Promise<void> {
    for (const { PK, SK } of this.#world.tables.partition(sharedTable, accountPartition(this.#accountId))) {
      await this.#schedule.turn();
      this.#world.tables.rows(sharedTable).delete(idOf({ PK: String(PK), SK: String(SK) }));
    }
  }

  async #retire(parameters: 'changed' | 'as they were', beforeFence?: () => Promise<void>): Promise<void> {
    if (parameters === 'changed' && !this.#faults.noSettling)
      await this.#schedule.after(leaseTimes(leaseSeconds).settleMs);
    await this.#schedule.turn();
    this.#world.setParameter(moveParameterName(this.#accountId), undefined);
    await this.#schedule.turn();
    await beforeFence?.();
    this.#world.tables.rows(sharedTable).delete(idOf(fenceKey(this.#accountId)));
  }
}
