import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationState } from '../../src/contracts/operation-state.ts';
import { operationTypes } from '../../src/contracts/operation-table.ts';
import { tenantStatuses, tenantStatusTransitions } from '../../src/contracts/tenant-status.ts';
import {
  findPlacement,
  listLoadBalancerShares,
  markPriorityForeign,
  placeOnLoadBalancer,
  releaseAllocations,
  reserveHostName,
  takeRulePriority,
} from '../../src/db/allocations.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { appendEvent, EVENTS_CHANNEL, listEvents } from '../../src/db/events.ts';
import { connectWithKeepalive } from '../../src/db/locks.ts';
import { claimDueMails, queueMail, recordMailFailure, recordMailSent } from '../../src/db/mails.ts';
import { migrate } from '../../src/db/migrate.ts';
import {
  changeOperationState,
  findOpenOperation,
  findOperation,
  insertOperation,
  listAcceptedWithoutRun,
} from '../../src/db/operations.ts';
import { findSlugHolder, quarantineSlug, releaseSlug, reserveSlug } from '../../src/db/reservations.ts';
import { changeSettings, listSettings, recordFirstSettings } from '../../src/db/settings.ts';
import { InvalidCursorError } from '../../src/db/page-cursor.ts';
import { listTenants } from '../../src/db/tenant-list.ts';
import { changeTenantStatus, findTenant } from '../../src/db/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, cell, seedTenant } from './fixtures.ts';
import { testCaller } from '../support/caller.ts';
import { twoComponents } from '../support/platform.ts';

let test: TestDatabase;
let db: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  await migrate(test.controlUrl);
  db = createDatabase({ url: test.controlUrl, maxConnections: 20 });
});
afterAll(async () => {
  await db.close();
  await test.drop();
});

const many = <T>(count: number, fn: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => fn(i)));

describe('tenants', () => {
  it('have in the database the transitions of the contracts, and no other', async () => {
    const { rows } = await db.query<{ from: string; to: string }>(
      'select from_status as "from", to_status as "to" from tenant_status_transitions',
    );
    const contracts = tenantStatuses.flatMap((from) => tenantStatusTransitions[from].map((to) => `${from} ${to}`));
    expect(rows.map(({ from, to }) => `${from} ${to}`).toSorted()).toEqual(contracts.toSorted());
  });

  it('change their status together with its event, and never against the table', async () => {
    const { tenantId, operationId } = await seedTenant(db);
    await db.transaction((tx) => changeTenantStatus(tx, tenantId, 'validating', { operationId }));
    await expect(db.transaction((tx) => changeTenantStatus(tx, tenantId, 'active'))).rejects.toThrow('may not go');
    expect((await findTenant(db, tenantId))?.status).toBe('validating');
    const events = await listEvents(db, tenantId);
    expect(events.map((e) => e.type)).toEqual(['tenant.accepted', 'operation.accepted', 'tenant.status']);
    expect(events.at(-1)).toMatchObject({ operationId, data: { from: 'pending', to: 'validating' } });
  });

  it('are listed newest first, page by page, each once', async () => {
    const seeded = await many(7, () => seedTenant(db));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listTenants(db, { product: 'moamalat', limit: 3, cursor });
      seen.push(...page.tenants.map((t) => t.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(seeded.map((s) => s.tenantId)));
    const { rows } = await db.query<{ id: string }>('select id from tenants order by created_at desc, id');
    expect(seen).toEqual(rows.map((r) => r.id));
    await expect(listTenants(db, { limit: 1, cursor: 'nonsense' })).rejects.toBeInstanceOf(InvalidCursorError);
  });
});

describe('operations', () => {
  it('may have in the database the types of the contracts, and no other', async () => {
    const { rows } = await db.query<{ allowed: string }>(
      `select pg_get_constraintdef(oid) as allowed from pg_constraint where conname = 'operations_type_check'`,
    );
    const allowed = [...(rows[0]?.allowed ?? '').matchAll(/'([^']+)'/g)].map(([, type]) => type);
    expect(allowed.toSorted()).toEqual([...operationTypes].toSorted());
  });

  it('are open one at a time per tenant, however many ask at once', async () => {
    const { tenantId, operationId, slug } = await seedTenant(db);
    await db.transaction((tx) => changeOperationState(tx, operationId, ['accepted'], 'withdrawn'));
    const won = await many(5, () =>
      accept(db, { tenantId, slug, type: 'provision', blueprint: {} }).then(
        () => true,
        () => false,
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await findOpenOperation(db, tenantId))?.state).toBe('accepted');
  });

  it('change by compare-and-swap: one of many wins, with one event', async () => {
    const { tenantId, operationId } = await seedTenant(db);
    const won = await many(5, () =>
      db.transaction((tx) => changeOperationState(tx, operationId, ['accepted'], 'running')),
    );
    expect(won.filter((row) => row !== undefined)).toHaveLength(1);
    const events = await listEvents(db, tenantId);
    expect(events.filter((e) => e.type === 'operation.state')).toHaveLength(1);
  });

  it('are found when nobody claims them', async () => {
    const { operationId } = await seedTenant(db);
    expect((await listAcceptedWithoutRun(db, 60_000)).map((o) => o.id)).not.toContain(operationId);
    await db.query(`update operations set accepted_at = now() - interval '2 minutes' where id = $1`, [operationId]);
    expect((await listAcceptedWithoutRun(db, 60_000)).map((o) => o.id)).toContain(operationId);
  });

  it('answer undefined for a second open one without spoiling the transaction', async () => {
    const { tenantId, slug } = await seedTenant(db);
    const answer = await db.transaction(async (tx) => {
      const second = await insertOperation(tx, {
        ...{ id: randomUUID(), tenantId, cell: cell.id, type: 'deprovision', onFailure: 'hold', holdMs: 1 },
        ...{ workflowId: `tenant.moamalat.${slug}`, blueprint: {}, caller: testCaller },
      });
      return { second, tenant: await findTenant(tx, tenantId) };
    });
    expect(answer.second).toBeUndefined();
    expect(answer.tenant?.slug).toBe(slug);
  });
});

describe('slugs', () => {
  it('go to one of many who ask at once', async () => {
    const tenants = await many(6, () => seedTenant(db));
    const won = await Promise.all(
      tenants.map(({ tenantId }) =>
        db.transaction((tx) => reserveSlug(tx, { product: 'moamalat', slug: 'wanted', tenantId })),
      ),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  it('stay closed in quarantine, and are free when it has ended or when released', async () => {
    const [a, b] = [await seedTenant(db), await seedTenant(db)];
    const slugOf = (tenantId: string) => ({ product: 'moamalat', slug: a.slug, tenantId });
    await quarantineSlug(db, slugOf(a.tenantId));
    expect(await reserveSlug(db, slugOf(b.tenantId))).toBe(false);
    const days = ((await findSlugHolder(db, slugOf(''))) ?? { quarantinedUntil: null }).quarantinedUntil;
    expect((days?.getTime() ?? 0) - Date.now()).toBeGreaterThan(29.9 * 86_400_000);
    await db.query(`update reservations set quarantined_until = now() - interval '1 second' where slug = $1`, [a.slug]);
    expect(await reserveSlug(db, slugOf(b.tenantId))).toBe(true);
    await releaseSlug(db, slugOf(a.tenantId));
    expect((await findSlugHolder(db, slugOf('')))?.tenantId).toBe(b.tenantId);
    await releaseSlug(db, slugOf(b.tenantId));
    expect(await findSlugHolder(db, slugOf(''))).toBeUndefined();
  });
});

describe('settings', () => {
  const close = (id: string, ends: readonly OperationState[]) =>
    db.transaction(async (tx) => {
      for (const state of ends) {
        const { state: now } = (await findOperation(tx, id))!;
        if (!(await changeOperationState(tx, id, [now], state))) throw new Error(`${now} -> ${state} refused`);
      }
    });
  const succeeds: readonly OperationState[] = ['running', 'committing', 'succeeded'];
  const choose = (
    tenant: { tenantId: string; slug: string },
    count: number,
    by: 'operation' | 'nothing' = 'operation',
  ) =>
    db.transaction(async (tx) => {
      const { tenantId } = tenant;
      const operationId =
        by === 'operation' ? await accept(tx, { ...tenant, type: 'provision', blueprint: {} }) : undefined;
      await changeSettings(tx, { tenantId, settings: { count }, mode: 'active', operationId, caller: testCaller });
      return operationId ?? '';
    });
  const desired = async (tenantId: string) => {
    const { settings, settingsVersion } = (await findTenant(db, tenantId))!;
    return [settingsVersion, settings];
  };

  it('are desired until the operation that carries them out ends without success: then the applied ones are again', async () => {
    const tenant = await seedTenant(db);
    const { tenantId } = tenant;
    await close(tenant.operationId, succeeds);
    expect(await desired(tenantId)).toEqual([1, {}]);
    const failing = await choose(tenant, 2);
    expect(await desired(tenantId)).toEqual([2, { count: 2 }]);
    await close(failing, ['running', 'rolling-back', 'rolled-back']);
    expect(await desired(tenantId)).toEqual([1, {}]);
    await close(await choose(tenant, 3), succeeds);
    await choose(tenant, 4, 'nothing');
    for (const ends of [
      ['withdrawn'],
      ['cancelled'],
      ['running', 'stuck', 'abandoned'],
      ['running', 'stuck', 'superseded'],
    ])
      await close(await choose(tenant, 9), ends as OperationState[]);
    expect(await desired(tenantId)).toEqual([4, { count: 4 }]);
    expect((await listSettings(db, tenantId)).map(({ version, settings }) => [version, settings.count])).toEqual([
      ...[8, 7, 6, 5].map((version) => [version, 9]),
      ...[4, 3, 2].map((version) => [version, version]),
    ]);
    const versions = await db.query('select settings_version as v from operations where tenant_id = $1 order by 1', [
      tenantId,
    ]);
    expect(versions.rows.map(({ v }) => v)).toEqual([1, 2, 3, 5, 6, 7, 8]);
  });

  it('of a tenant that was never active stay what was asked for', async () => {
    const tenant = await seedTenant(db);
    await db.transaction((tx) =>
      recordFirstSettings(tx, { ...tenant, settings: {}, mode: 'active', caller: testCaller }),
    );
    await close(tenant.operationId, ['running', 'rolling-back', 'rolled-back']);
    expect(await desired(tenant.tenantId)).toEqual([1, {}]);
  });

  it('are recorded for good', async () => {
    const tenant = await seedTenant(db);
    await close(tenant.operationId, succeeds);
    await choose(tenant, 2, 'nothing');
    for (const change of [
      'update tenant_settings set version = 7',
      'delete from tenant_settings',
      'truncate tenant_settings',
    ])
      await expect(db.query(change)).rejects.toThrow('append-only');
  });
});

describe('events', () => {
  it('cannot be changed or deleted', async () => {
    await seedTenant(db);
    await expect(db.query(`update events set type = 'x'`)).rejects.toThrow('append-only');
    await expect(db.query('delete from events')).rejects.toThrow('append-only');
    await expect(db.query('truncate events')).rejects.toThrow('append-only');
  });

  it('of one tenant get ids in the order of commits, so that a reader misses none', async () => {
    const { tenantId } = await seedTenant(db);
    const event = { cell: cell.id, tenantId, type: 'step.started' as const };
    const order: string[] = [];
    let release = () => undefined as void;
    const held = new Promise<void>((resolve) => (release = resolve));
    let begun = () => undefined as void;
    const first = new Promise<void>((resolve) => (begun = resolve));
    const slow = db.transaction(async (tx) => {
      await appendEvent(tx, { ...event, stepId: 'slow' });
      begun();
      await held;
      order.push('slow');
    });
    await first;
    const fast = db.transaction((tx) => appendEvent(tx, { ...event, stepId: 'fast' })).then(() => order.push('fast'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await listEvents(db, tenantId)).filter((e) => e.type === 'step.started')).toEqual([]);
    release();
    await Promise.all([slow, fast]);
    expect(order).toEqual(['slow', 'fast']);
    const ids = (await listEvents(db, tenantId)).filter((e) => e.type === 'step.started');
    expect(ids.map((e) => e.stepId)).toEqual(['slow', 'fast']);
  });

  it('are announced, also after the listener lost its connection', async () => {
    const heard: (string | undefined)[] = [];
    const waitFor = async (wanted: string | undefined) => {
      for (const until = Date.now() + 10_000; !heard.includes(wanted);) {
        if (Date.now() > until) throw new Error(`not heard: ${wanted ?? 'a reconnection'}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const listening = await db.listen(EVENTS_CHANNEL, (payload) => heard.push(payload));
    await waitFor((await seedTenant(db)).tenantId);
    await db.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'tenantry-listener' and datname = current_database()`);
    await waitFor(undefined);
    await waitFor((await seedTenant(db)).tenantId);
    await listening.stop();
  });
});

describe('allocations', () => {
  it('place tenants on the least filled load balancer, and none when all are full', async () => {
    const roomy = { ...cell, id: `cell-${randomUUID().slice(0, 8)}` };
    const [{ tenantId: any }, { tenantId: filler }] = [await seedTenant(db), await seedTenant(db)];
    const seeded = await many(8, () => seedTenant(db));
    const placed = await Promise.all(
      seeded.map(({ tenantId }) => db.transaction((tx) => placeOnLoadBalancer(tx, roomy, tenantId, twoComponents))),
    );
    const [one, two] = cell.loadBalancers.map((lb) => placed.filter((p) => p?.arn === lb.arn).length);
    expect([one, two]).toEqual([4, 4]);
    const [first] = seeded;
    const again = await db.transaction((tx) => placeOnLoadBalancer(tx, roomy, first!.tenantId, twoComponents));
    expect(again?.arn).toBe(await findPlacement(db, first!.tenantId));
    const small = { ...roomy, loadBalancers: roomy.loadBalancers.slice(0, 1) };
    await db.query(
      `insert into allocations (cell, kind, scope, key, tenant_id)
       select $1, 'load-balancer', $2, 'filler ' || i, $3 from generate_series(1, 29) i`,
      [roomy.id, small.loadBalancers[0]!.arn, filler],
    );
    expect(await db.transaction((tx) => placeOnLoadBalancer(tx, small, any, twoComponents))).toBeUndefined();
    await releaseAllocations(db, first!.tenantId);
    expect(await findPlacement(db, first!.tenantId)).toBeUndefined();
  });

  it('let products share a load balancer by what their tenants take, target groups that AWS never raises among them', async () => {
    const [template] = cell.loadBalancers;
    const loadBalancer = { ...template!, arn: `${template!.arn}-${randomUUID().slice(0, 8)}` };
    const alone = { ...cell, id: `cell-${randomUUID().slice(0, 8)}`, loadBalancers: [loadBalancer] };
    const place = async (share: { rules: number; targetGroups: number }) => {
      const { tenantId } = await seedTenant(db);
      return db.transaction((tx) => placeOnLoadBalancer(tx, alone, tenantId, share));
    };
    expect(await place({ rules: 60, targetGroups: 40 })).toBeDefined();
    expect(await place({ rules: 41, targetGroups: 1 })).toBeUndefined();
    expect(await place({ rules: 1, targetGroups: 61 })).toBeUndefined();
    expect(await place({ rules: 40, targetGroups: 60 })).toBeDefined();
    expect(await place({ rules: 0, targetGroups: 1 })).toBeUndefined();
  });

  it('count a load balancer once that two cells share: of two that ask at once for the last room one is placed', async () => {
    const [template] = cell.loadBalancers;
    const shared = { ...template!, arn: `${template!.arn}-${randomUUID().slice(0, 8)}` };
    const cells = ['a', 'b'].map((name) => ({
      ...cell,
      id: `${name}-${randomUUID().slice(0, 8)}`,
      loadBalancers: [shared],
    }));
    const place = async (i: number, share: { rules: number; targetGroups: number }) => {
      const { tenantId } = await seedTenant(db);
      return db.transaction((tx) => placeOnLoadBalancer(tx, cells[i % 2]!, tenantId, share));
    };
    expect(await place(0, { rules: 48, targetGroups: 10 })).toBeDefined();
    expect(await place(1, { rules: 49, targetGroups: 10 })).toBeDefined();
    const placed = await many(8, (i) => place(i, twoComponents));
    expect(placed.filter((lb) => lb !== undefined)).toHaveLength(1);
    const taken = await listLoadBalancerShares(db, [shared.arn]);
    expect(taken.get(shared.arn)).toEqual({ rules: 100, targetGroups: 22 });
  });

  it('give each priority of a listener that two cells share once', async () => {
    const { tenantId } = await seedTenant(db);
    const listenerArn = `listener-${randomUUID()}`;
    const ask = (i: number, cellId = i % 2 === 0 ? 'a' : 'b') =>
      takeRulePriority(db, { cell: cellId, listenerArn, band: 'path', tenantId, stepId: `step ${i}` });
    const taken = await many(10, (i) => ask(i));
    expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => 1000 + i));
    expect(await many(10, (i) => ask(i))).toEqual(taken);
  });

  it('never give one priority to two steps, however many ask at once, and the same to one that asks again', async () => {
    const { tenantId } = await seedTenant(db);
    const ask = (i: number, band: 'path' | 'host' = 'path') =>
      takeRulePriority(db, { cell: cell.id, listenerArn: 'listener', band, tenantId, stepId: `step ${i}` });
    const taken = await many(30, (i) => ask(i));
    expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => 1000 + i));
    expect(await many(30, (i) => ask(i))).toEqual(taken);
    expect(await ask(99, 'host')).toBe(25_000);
    await markPriorityForeign(db, {
      cell: cell.id,
      listenerArn: 'listener',
      priority: taken[3]!,
      tenantId,
      stepId: 'step 3',
    });
    expect(await ask(3)).toBe(1030);
    await releaseAllocations(db, tenantId);
    const next = await many(4, (i) => ask(i));
    expect(next).not.toContain(taken[3]);
  });

  it('say so when a band is full', async () => {
    const { tenantId } = await seedTenant(db);
    await db.query(
      `insert into allocations (cell, kind, scope, key) select 'default', 'rule-priority', 'full', p::text from generate_series(25000, 49999) p`,
    );
    const request = { cell: cell.id, listenerArn: 'full', band: 'host' as const, tenantId, stepId: 'rule' };
    await expect(takeRulePriority(db, request)).rejects.toMatchObject({ code: 'PRIORITIES_EXHAUSTED' });
  });

  it('give a host name to one tenant only', async () => {
    const [a, b] = [await seedTenant(db), await seedTenant(db)];
    const ask = (tenantId: string) =>
      reserveHostName(db, { cell: cell.id, zone: 'tenants.test', host: 'h.tenants.test', tenantId });
    expect([await ask(a.tenantId), await ask(b.tenantId), await ask(a.tenantId)]).toEqual([true, false, true]);
  });

  it('give a host name of a zone that two cells share to one tenant only, however many ask at once', async () => {
    const tenants = await many(6, () => seedTenant(db));
    const ask = ({ tenantId }: { tenantId: string }, i: number) =>
      db.transaction((tx) =>
        reserveHostName(tx, { cell: `cell-${i % 2}`, zone: 'shared.test', host: 'h.shared.test', tenantId }),
      );
    const taken = await Promise.all(tenants.map(ask));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});

describe('mails', () => {
  const queue = async () => {
    const seeded = await seedTenant(db);
    const mail = { tenantId: seeded.tenantId, operationId: seeded.operationId, cell: cell.id, template: 'welcome' };
    await db.transaction((tx) => queueMail(tx, mail));
    await db.transaction((tx) => queueMail(tx, mail));
    return seeded;
  };
  const typesOf = async (tenantId: string) =>
    (await listEvents(db, tenantId)).map((e) => e.type).filter((t) => t.startsWith('mail.'));

  it('go to one sender each, and are sent once', async () => {
    const seeded = await many(5, queue);
    const claimed = (await many(3, () => claimDueMails(db, 10))).flat();
    expect(claimed.map((m) => m.tenantId).toSorted()).toEqual(seeded.map((s) => s.tenantId).toSorted());
    for (const mail of claimed) await recordMailSent(db, mail.id, 'message-1', testCaller);
    await recordMailSent(db, claimed[0]!.id, 'message-2', testCaller);
    expect(await typesOf(claimed[0]!.tenantId)).toEqual(['mail.queued', 'mail.sent']);
    expect(await claimDueMails(db, 10)).toEqual([]);
  });

  it('are tried again later and later, and given up after a day', async () => {
    const { tenantId } = await queue();
    const [mail] = await claimDueMails(db, 10);
    await recordMailFailure(db, mail!.id, { reason: 'no answer', caller: testCaller });
    expect(await claimDueMails(db, 10)).toEqual([]);
    await db.query(`update mails set next_attempt_at = now(), queued_at = now() - interval '25 hours' where id = $1`, [
      mail!.id,
    ]);
    const [again] = await claimDueMails(db, 10);
    expect(again?.attempts).toBe(2);
    await recordMailFailure(db, again!.id, { reason: 'no answer', caller: testCaller });
    expect(await typesOf(tenantId)).toEqual(['mail.queued', 'mail.failed']);
    await db.query(`update mails set next_attempt_at = now() where id = $1`, [mail!.id]);
    expect(await claimDueMails(db, 10)).toEqual([]);
  });
});

describe('locks', () => {
  it('are held by one process at a time, and free again after use', async () => {
    const other = createDatabase({ url: test.controlUrl });
    try {
      const outcome = await db.withLock('a lock', async () => ({
        same: await db.withLock('a lock', async () => 1),
        other: await other.withLock('a lock', async () => 1),
        elsewhere: await other.withLock('another', async () => 1),
      }));
      expect(outcome?.value).toEqual({ same: undefined, other: undefined, elsewhere: { value: 1 } });
      expect(await other.withLock('a lock', async () => 2)).toEqual({ value: 2 });
    } finally {
      await other.close();
    }
  });

  it('are freed within half a minute when their host vanishes: the server itself asks after it', async () => {
    const client = new pg.Client({ connectionString: test.controlUrl });
    await connectWithKeepalive(client);
    try {
      const { rows } = await client.query<{ name: string; setting: string }>(
        `select name, setting from pg_settings where name like 'tcp_keepalives_%'`,
      );
      expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
        tcp_keepalives_idle: '10',
        tcp_keepalives_interval: '5',
        tcp_keepalives_count: '3',
      });
    } finally {
      await client.end();
    }
  });

  it('survive the loss of their connection: several that noticed share the next one, and none stays behind', async () => {
    const name = 'tenantry-test-locks';
    const locking = createDatabase({ url: test.controlUrl, applicationName: 'tenantry-test' });
    const admin = createDatabase({ url: test.adminControlUrl });
    const sessions = async () =>
      (await admin.query(`select 1 from pg_stat_activity where application_name = $1`, [name])).rowCount;
    try {
      const lost = await locking.withLock('first', async (signal) => {
        await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [name]);
        // The loss may be known before the answer to the query that caused it.
        await expect.poll(() => signal.aborted, { timeout: 20_000 }).toBe(true);
        return signal.aborted;
      });
      expect(lost?.value).toBe(true);
      const taken = await Promise.all(['a', 'b', 'c'].map((lock) => locking.withLock(lock, async () => lock)));
      expect(taken).toEqual([{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
      expect(await sessions()).toBe(1);
    } finally {
      await locking.close();
      await admin.close();
    }
  });
});
