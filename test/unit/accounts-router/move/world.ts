import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createAccountsRouter, type AccountsRouter } from '../../../../src/accounts-router/index.ts';
import { leaseTimes } from '../../../../src/accounts-router/fence.ts';
import { running, type Running } from './frozen-timers.ts';
import type { Schedule } from './schedule.ts';
import { named, Tables, type Sent } from './tables.ts';

export const sharedTable = 'shared';
export const leaseSeconds = 8;
/** Shorter than in earnest, as the lease is: a router that stood still for so long goes on by what it had asked SSM. */
export const brokenAfterMs = 1_200;

/** How often the network loses something, and how often a process stands still. */
export interface Faults {
  readonly lost: number;
  readonly stops: number;
  /** How often it is frozen between two calls, when no request is under way: it goes on with what it knew. */
  readonly freezes: number;
}

/** A process with a router of its own. It may be stopped: then it neither sends nor hears, its timers do not run, and what it sent before goes on. */
export interface Process extends Running {
  readonly router: AccountsRouter;
  /** What somebody wants of it, which begins when it does not stand still. */
  do<A>(call: () => Promise<A>): Promise<A>;
}

/** One call of a client. */
interface Call extends Running {
  readonly beganAtMs: number;
}

/** DynamoDB and SSM, as routers reach them by a network that delivers when the schedule says so, or not at all. */
export class World {
  readonly tables = new Tables();
  /** Writes of calls that began after the switch, to the table that does not count since. */
  readonly strays: string[] = [];
  #switchedAtMs = Infinity;
  readonly #schedule: Schedule;
  readonly #faults: Faults;
  /** What a parameter was, from when on. */
  readonly #parameters = new Map<string, { readonly sinceMs: number; readonly value: string | undefined }[]>();

  constructor(schedule: Schedule, faults: Faults) {
    this.#schedule = schedule;
    this.#faults = faults;
    this.tables.make(sharedTable);
  }

  setParameter(name: string, value: string | undefined): void {
    const history = this.#parameters.get(name) ?? [{ sinceMs: -Infinity, value: undefined }];
    this.#parameters.set(name, [...history, { sinceMs: performance.now(), value }]);
  }

  /** From now on no call has to begin a write to the shared table. */
  noteSwitch(): void {
    this.#switchedAtMs = performance.now();
  }

  openProcess(ttlMs = this.#schedule.pick([50, 300_000])): Process {
    const process = { isStopped: false };
    const dynamodb = DynamoDBDocumentClient.from(client);
    dynamodb.send = (command: Sent) => this.#deliver(process, command, () => this.tables.apply(command));
    const ssm = Object.create(SSMClient.prototype) as SSMClient;
    ssm.send = (command: { readonly input: object }) =>
      this.#deliver(process, command, () => this.#read((command.input as { readonly Names: string[] }).Names));
    const router = createAccountsRouter({ dynamodb, ssm, ttlMs, moveWaitMs: 20_000, negativeTtlMs: 100 });
    return Object.assign(process, {
      router,
      do: async <A>(call: () => Promise<A>) => {
        if (this.#schedule.chance(this.#faults.freezes)) this.#stop(process);
        await this.#schedule.turn(() => !process.isStopped);
        const ofCall: Call = {
          beganAtMs: performance.now(),
          get isStopped() {
            return process.isStopped;
          },
        };
        return running.run(ofCall, call);
      },
    });
  }

  #noteStray({ constructor: { name }, input }: { readonly input?: unknown } & object): void {
    const call = running.getStore();
    if (!call || !('beganAtMs' in call) || Number(call.beganAtMs) <= this.#switchedAtMs) return;
    const isRow = /^(Put|Delete|TransactWrite|BatchWrite)Command$/.test(name);
    if (isRow && JSON.stringify(input).includes(`"${sharedTable}"`)) this.strays.push(`a ${name} after the switch`);
  }

  /** The way of a request there and back. What is lost may take effect nonetheless, then or later. */
  async #deliver(process: { isStopped: boolean }, command: object, effect: () => unknown): Promise<never> {
    const chance = (probability: number) => this.#schedule.chance(probability);
    this.#noteStray(command);
    if (chance(this.#faults.stops)) this.#stop(process);
    await this.#schedule.turn(() => !process.isStopped);
    if (chance(this.#faults.lost)) {
      if (chance(0.7)) void this.#schedule.turn().then(() => settle(effect));
      if (chance(0.5)) await this.#schedule.turn();
      await this.#schedule.turn(() => !process.isStopped);
      throw named('TimeoutError');
    }
    // The network is slow at times: longer than the mover waits for a writer.
    await this.#schedule.after(chance(this.#faults.stops) ? brokenAfterMs + this.#schedule.random() * 2_000 : 0);
    const answer = settle(effect);
    // The SDK had sent it before, and gave up waiting: that comes at last.
    if (isRegistration(command) && chance(this.#faults.lost)) void this.#schedule.turn().then(() => settle(effect));
    if (chance(this.#faults.stops)) this.#stop(process);
    await this.#schedule.turn(() => !process.isStopped);
    if (answer.error) throw answer.error;
    return answer.value as never;
  }

  /** For longer than the mover waits for a writer, or than a lease, at times. */
  #stop(process: { isStopped: boolean }): void {
    if (process.isStopped) return;
    process.isStopped = true;
    const go = () => void (process.isStopped = false);
    void this.#schedule.after(this.#schedule.pick([1_000, brokenAfterMs, 3_500, 40_000])).then(go);
  }

  /** Each parameter as it was at some moment of the time that SSM may be behind. */
  #read(names: readonly string[]): object {
    const { settleMs } = leaseTimes(leaseSeconds);
    const Parameters = names.flatMap((Name) => {
      const atMs = performance.now() - (this.#schedule.chance(0.5) ? 0 : this.#schedule.random() * settleMs);
      const Value = this.#parameters.get(Name)?.findLast(({ sinceMs }) => sinceMs <= atMs)?.value;
      return Value === undefined ? [] : [{ Name, Value }];
    });
    return { Parameters };
  }
}

/** Only what the document client is made from: it sends nothing. */
const client = new DynamoDBClient({ region: 'us-east-1' });

function settle(effect: () => unknown): { readonly value?: unknown; readonly error?: Error } {
  try {
    return { value: effect() };
  } catch (error) {
    if (error instanceof Error && error.name !== 'Error') return { error };
    throw error;
  }
}

function isRegistration(command: object): boolean {
  return command.constructor.name === 'UpdateCommand';
}
