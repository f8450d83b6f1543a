import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fenceKey, leaseParameterName, moveParameterName } from '../../../src/accounts-router/fence.ts';
import { own, ownId } from './fixture.ts';
import { Schedule } from './move/schedule.ts';
import { idOf, type Row } from './move/tables.ts';
import { sharedTable, World } from './move/world.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

it('a process that was frozen between two writes, and goes on after the switch, begins none in the shared table', async () => {
  const schedule = new Schedule(7);
  const world = new World(schedule, { lost: 0, stops: 0, freezes: 0 });
  const at = `/accounts/${ownId}`;
  for (const [name, value] of Object.entries({
    ...{ [`${at}/cloud-type`]: 'public', [`${at}/provisioning-status`]: 'active' },
    ...{ [`${at}/dynamodb/table-name`]: sharedTable, '/platform/dynamodb/shared-table-name': sharedTable },
    ...{ [leaseParameterName]: '360', [moveParameterName(ownId)]: 'own-1' },
  }))
    world.setParameter(name, value);
  vi.advanceTimersByTime(60_000);
  const fence: Row = { ...fenceKey(ownId), state: 'open', toTable: 'own-1', moveId: 'm', writers: {} };
  world.tables.make('own-1');
  world.tables.rows(sharedTable).set(idOf(fenceKey(ownId)), fence);
  const { router } = world.openProcess(300_000);
  const put = async (SK: string) => {
    const done = router.put(ownId, { Item: { SK } });
    await schedule.run(done, 5_000);
  };
  await put('first');
  expect(Object.keys(fence['writers'] as object)).toHaveLength(1);
  // No timer of it runs, the clock on the wall goes on. The mover takes it for one that has stopped.
  Object.assign(fence, { state: 'moved', writers: {} });
  vi.setSystemTime(Date.now() + 20_000);
  await put('second');
  const rows = (table: string) => world.tables.partition(table, own).map((row) => row['SK']);
  expect(rows(sharedTable)).toEqual(['first']);
  expect(rows('own-1')).toEqual(['second']);
});
