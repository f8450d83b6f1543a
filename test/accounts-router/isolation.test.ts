import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { accountPartition, createAccountsRouter, type AccountsRouter } from 'tenantry/accounts';
import { hostileCalls, sendHostile } from '../support/hostile-calls.ts';
import type { Targets } from '../support/hostile-expressions.ts';
import { useRouterWorld } from './fixture.ts';

const world = useRouterWorld();
const secret = 'what the victim alone knows';

interface Scene {
  readonly accountId: string;
  readonly tableName: string;
  readonly targets: Targets;
  readonly router: AccountsRouter;
}

describe.each(['public', 'private'])('of two accounts, one %s that tries in every call to reach the other', (type) => {
  let scene: Scene;
  beforeAll(async () => {
    const { dynamodb, ssm, addPublicAccount, addPrivateAccount, sharedTable } = world.current;
    const own =
      type === 'public' ? { accountId: await addPublicAccount(), tableName: sharedTable } : await addPrivateAccount();
    const targets = { own: accountPartition(own.accountId), victim: accountPartition(await addPublicAccount()) };
    scene = { ...own, targets, router: createAccountsRouter({ dynamodb, ssm }) };
    await plantVictim(scene);
  });

  it('never reads a row of the other, nor changes one, nor puts one into its part of an index', async () => {
    const before = await victimsSight(scene);
    const seen = { answered: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(hostileCalls(scene.targets), { minLength: 20, maxLength: 40 }), async (calls) => {
        await plantOwn(scene);
        for (const call of calls) {
          const { kind, said } = await sendHostile(scene.router, scene.accountId, call).then(
            (answer) => ({ kind: 'answered' as const, said: JSON.stringify(answer) }),
            (error: unknown) => ({ kind: 'refused' as const, said: `${String(error)} ${JSON.stringify(error)}` }),
          );
          seen[kind] += 1;
          expect(said, JSON.stringify(call)).not.toContain(secret);
        }
        expect(await victimsSight(scene)).toEqual(before);
      }),
      { numRuns: 60 },
    );
    // Calls that are all refused would show nothing.
    expect(seen.answered).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(50);
  });
});

/** Rows of the victim, in the table that the attacker's calls go to: two in its own part of the index, one in the attacker's. */
async function plantVictim({ tableName, targets: { own, victim } }: Scene): Promise<void> {
  const row = { PK: victim, text: secret, GSI1SK: 'ROW#1' };
  await world.current.plant(
    tableName,
    { ...row, SK: 'ROW#1', GSI1PK: `${victim}#ALL` },
    { ...row, SK: 'SECRET', GSI1PK: `${victim}#ALL` },
    { ...row, SK: 'ROW#2', GSI1PK: `${own}#ALL` },
  );
}

async function plantOwn({ tableName, targets: { own, victim } }: Scene): Promise<void> {
  await world.current.plant(tableName, {
    ...{ PK: own, SK: 'ROW#1', GSI1PK: `${own}#ALL`, GSI1SK: 'ROW#1', text: 'own', stolen: `${victim}#ALL` },
  });
}

/** All rows that are not the attacker's, and what the victim's part of the index shows. */
async function victimsSight({ tableName, targets: { own, victim } }: Scene) {
  const rows = (await world.current.rows(tableName)).filter((row) => row['PK'] !== own);
  const parts = [victim, `${victim}#ALL`].map(async (partition) => {
    const { Items } = await world.current.dynamodb.send(
      new QueryCommand({
        ...{ TableName: tableName, IndexName: 'GSI1', KeyConditionExpression: 'GSI1PK = :p' },
        ExpressionAttributeValues: { ':p': partition },
      }),
    );
    return Items;
  });
  return { rows, index: await Promise.all(parts) };
}
