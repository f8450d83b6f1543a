import { describe, expect, it } from 'vitest';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import { accountCopy } from '../../../src/kinds/account-copy/kind.ts';
import { accountFence } from '../../../src/kinds/account-fence/kind.ts';
import { accountSwitch } from '../../../src/kinds/account-switch/kind.ts';
import { movingAccount, type MovingAccount } from './account-world.ts';
import { contextOf, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();

function specOf({ position, spec }: MovingAccount) {
  return { ...spec, position };
}
const copyOf = (account: MovingAccount, settings: ContextSettings<'account-copy'> = {}) =>
  accountCopy.ensure(
    contextOf<'account-copy'>(world, account.tenant, specOf(account), { stepId: 'copy', ...settings }),
  );
const switching = (account: MovingAccount, settings: ContextSettings<'account-switch'> = {}) =>
  contextOf<'account-switch'>(world, account.tenant, specOf(account), { stepId: 'close', ...settings });
const switchOver = (account: MovingAccount) =>
  accountSwitch.remove(switching(account, { removingAt: new Date(), isPastCommit: true }));
const lockOf = ({ spec: { toTable }, tenant }: MovingAccount) =>
  world.aws.locks.find({ table: toTable, accountId: tenant.id });

/** Adapters of an attempt that stands still right before one of its calls, for as long as the test wants. */
function standingBefore(call: 'take' | 'write' | 'find') {
  let goOn = (): void => undefined;
  let reached = (): void => undefined;
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const stands = new Promise<void>((resolve) => (reached = resolve));
  const { locks } = world.aws;
  const stand = () => {
    reached();
    return gate;
  };
  const aws: CellAws = {
    ...world.aws,
    locks: {
      ...locks,
      ...(call === 'find' && { find: (place) => stand().then(() => locks.find(place)) }),
      ...(call === 'take' && { take: (...given) => stand().then(() => locks.take(...given)) }),
      ...(call === 'write' && {
        write: async (place, attempt, changes) => {
          if (changes.put.length + changes.remove.length > 0) await stand();
          await locks.write(place, attempt, changes);
        },
      }),
    },
  };
  return { aws, stands, goOn: () => goOn() };
}

const changed = 'ROW#000003';
const valueOf = async (account: MovingAccount) => (await account.rows(account.to)).get(changed)?.['n']?.N;

describe('an attempt of a move that another one superseded', () => {
  it('of the switch writes no older row once the rows are compared, and leaves the fence of its successor closed', async () => {
    const account = await movingAccount(world);
    await account.fill(10);
    await copyOf(account);
    await account.put(account.spec.table, changed, { n: { N: '1000' } });
    const first = standingBefore('write');
    const superseded = stepErrorOf(accountSwitch.ensure(switching(account, { aws: first.aws })));
    await first.stands;
    await account.put(account.spec.table, changed, { n: { N: '2000' } });
    const { outputs } = await accountSwitch.ensure(switching(account, { mayExist: true }));
    first.goOn();
    expect(await superseded).toMatchObject({
      code: 'CONFLICT_RETRYABLE',
      message: expect.stringContaining('another attempt writes rows') as string,
    });
    expect(await account.fence()).toMatchObject({ state: 'closed', attempt: outputs.attempt });
    expect(await accountSwitch.observe(switching(account, { previous: outputs }))).toMatchObject({ status: 'ready' });
    await switchOver(account);
    expect(await valueOf(account)).toBe('2000');
  });

  it('of the switch deletes no row that came back', async () => {
    const account = await movingAccount(world);
    await account.fill(10);
    await copyOf(account);
    await account.remove(account.spec.table, changed);
    const first = standingBefore('write');
    const superseded = stepErrorOf(accountSwitch.ensure(switching(account, { aws: first.aws })));
    await first.stands;
    await account.put(account.spec.table, changed, { n: { N: '2000' } });
    await accountSwitch.ensure(switching(account, { mayExist: true }));
    await switchOver(account);
    first.goOn();
    expect(await superseded).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await account.fence()).toMatchObject({ state: 'moved' });
    expect(await valueOf(account)).toBe('2000');
  });

  it('of the copy writes nothing over what the switch brought, nor after it', async () => {
    const account = await movingAccount(world);
    await account.fill(10);
    const first = standingBefore('write');
    const superseded = stepErrorOf(copyOf(account, { aws: first.aws }));
    await first.stands;
    await copyOf(account, { mayExist: true });
    await account.put(account.spec.table, changed, { n: { N: '2000' } });
    await accountSwitch.ensure(switching(account));
    await switchOver(account);
    first.goOn();
    expect(await superseded).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await valueOf(account)).toBe('2000');
  });

  it('does not take the lock that it saw before its successor took it', async () => {
    const account = await movingAccount(world);
    await account.fill(10);
    const [copy, close] = [standingBefore('take'), standingBefore('take')];
    const superseded = [stepErrorOf(copyOf(account, { aws: copy.aws }))];
    await copy.stands;
    superseded.push(stepErrorOf(accountSwitch.ensure(switching(account, { aws: close.aws }))));
    await close.stands;
    const { outputs } = await accountSwitch.ensure(switching(account));
    for (const { goOn } of [copy, close]) goOn();
    for (const error of superseded)
      expect(await error).toMatchObject({
        code: 'CONFLICT_RETRYABLE',
        message: expect.stringContaining('meanwhile') as string,
      });
    expect(await lockOf(account)).toMatchObject({ attempt: outputs.attempt });
  });

  it('that takes the lock after the rows were compared makes another comparison necessary', async () => {
    const account = await movingAccount(world);
    await account.fill(10);
    await copyOf(account);
    const { outputs } = await accountSwitch.ensure(switching(account));
    const place = { table: account.spec.toTable, accountId: account.tenant.id };
    expect(await world.aws.locks.take(place, outputs.attempt, 'another')).toBe(true);
    expect(await accountSwitch.observe(switching(account, { previous: outputs }))).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('another attempt may write rows') as string,
    });
    await world.aws.locks.write(place, 'another', {
      ...{ put: [{ PK: { S: account.to.partitionKey.value }, SK: { S: changed } }], remove: [] },
      notOf: { installationId: '', tenantId: '' },
    });
    await switchOver(account);
    expect(await valueOf(account)).toBe('3');
    expect(await account.fence()).toMatchObject({ state: 'moved' });
  });

  it('finds the lock sealed after the switch, and gone with the fence', async () => {
    const account = await movingAccount(world);
    await account.fill(3);
    const [late, first] = [standingBefore('find'), standingBefore('take')];
    const copies = [stepErrorOf(copyOf(account, { aws: late.aws })), stepErrorOf(copyOf(account, { aws: first.aws }))];
    await Promise.all([late.stands, first.stands]);
    await accountSwitch.ensure(switching(account));
    await switchOver(account);
    expect(await lockOf(account)).toMatchObject({ isSealed: true });
    late.goOn();
    expect(await copies[0]).toMatchObject({ code: 'READINESS_LOST' });
    const settings = { stepId: 'fence', isPastCommit: true, removingAt: new Date() };
    await accountFence.remove(contextOf<'account-fence'>(world, account.tenant, account.spec, settings));
    expect(await lockOf(account)).toBeUndefined();
    first.goOn();
    expect(await copies[1]).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await lockOf(account)).toBeUndefined();
  });
});

describe('a row of a service with an attribute of the name of the mark', () => {
  it.each([
    ['text', { S: 'yes' }],
    ['a mark of another tenant', { M: { 'tenantry:installation': { S: 'x' }, 'tenantry:tenant-id': { S: 'y' } } }],
  ])('is moved like any other: %s', async (_what, tenantry) => {
    const account = await movingAccount(world);
    await account.fill(3);
    await account.put(account.spec.table, 'A', { tenantry, n: { N: '1' } });
    expect(await copyOf(account)).toMatchObject({ outputs: { copied: 4 } });
    await account.put(account.spec.toTable, 'STRAY', { tenantry });
    await account.put(account.spec.table, 'A', { tenantry, n: { N: '2' } });
    const { outputs } = await accountSwitch.ensure(switching(account));
    expect(outputs.count).toBe(4);
    const rows = await account.rows(account.to);
    expect([...rows.keys()]).not.toContain('STRAY');
    expect(rows.get('A')).toMatchObject({ tenantry, n: { N: '2' } });
  });
});
