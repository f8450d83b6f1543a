import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { leaseParameterName } from '../../../src/accounts-router/fence.ts';
import { ownId, own } from './fixture.ts';
import { Client, Record, rowsOf } from './move/client.ts';
import { Mover, type MoverFaults } from './move/mover.ts';
import { holdTimersOfFrozen } from './move/frozen-timers.ts';
import { Schedule } from './move/schedule.ts';
import { leaseSeconds, sharedTable, World, type Faults } from './move/world.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** One run of clients, in two processes, while the account is moved: with back-outs and second attempts. */
async function runModel(seed: number, faults: Faults, moverFaults: MoverFaults = {}): Promise<Record> {
  const schedule = new Schedule(seed);
  const world = new World(schedule, faults);
  const record = new Record();
  const at = `/accounts/${ownId}`;
  for (const [name, value] of Object.entries({
    ...{ [`${at}/cloud-type`]: 'public', [`${at}/provisioning-status`]: 'active' },
    ...{ [`${at}/dynamodb/table-name`]: sharedTable, '/platform/dynamodb/shared-table-name': sharedTable },
    [leaseParameterName]: String(leaseSeconds),
  }))
    world.setParameter(name, value);
  // Nothing of SSM is behind at the start.
  vi.advanceTimersByTime(leaseSeconds * 1_000);
  const processes = [world.openProcess(), world.openProcess()];
  const clients = ['a', 'b', 'c', 'd'].map((name, n) => new Client(processes[n % 2]!, schedule, ownId, record, name));
  const release = holdTimersOfFrozen(schedule);
  // Within the test: once it is over the timers are the real ones again, which must not be replaced by those that it had.
  const moved = new Mover(world, schedule, ownId, moverFaults).run();
  await schedule.run(Promise.all([moved, ...clients.map((client) => client.run(25))]), 20_000).finally(release);
  record.faults.push(...world.strays);
  record.check('the table', record.expectation(), rowsOf(world.tables.partition(await moved, own)));
  return record;
}

const faults: Faults = { lost: 0.02, stops: 0.015, freezes: 0.15 };

// More of them: MODEL_RUNS=5000 npx vitest run --project unit FILE --testTimeout 600000
it('no order of events loses an acknowledged write, or reads what is old', async () => {
  const runs = Number(process.env['MODEL_RUNS'] ?? 100);
  const found: string[] = [];
  const ends = new Map<string, number>();
  for (let seed = 1; seed <= runs; seed += 1) {
    const record = await runModel(seed, faults);
    found.push(...record.faults.map((fault) => `seed ${seed}: ${fault}`));
    for (const [end, n] of record.ends) ends.set(end, (ends.get(end) ?? 0) + n);
  }
  expect(found).toEqual([]);
  // Of 100 calls each nearly all are served, and some meet the move.
  expect(ends.get('ok')).toBeGreaterThan(runs * 80);
  for (const end of ['WriteOutcomeUnknownError', 'TimeoutError']) expect(ends.get(end)).toBeGreaterThan(0);
});

it.each([{ noLease: true }, { noSettling: true }])(
  'finds out a mover that keeps less than it has to: %j',
  async (less) => {
    for (let seed = 1; ; seed += 1) {
      expect(seed).toBeLessThan(1_000);
      if ((await runModel(seed, faults, less)).faults.length > 0) return;
    }
  },
);
