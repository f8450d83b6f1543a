import { describe, expect, it } from 'vitest';
import { ApiUnreachableError } from '../../../src/cli/api-client.ts';
import { runCanary } from '../../../src/canary/run.ts';
import type { CanarySettings } from '../../../src/canary/settings.ts';
import { fakeApi, refusal } from './fake-api.ts';

const settings: CanarySettings = {
  ...{ product: 'moamalat', tier: undefined, cell: undefined, contactEmail: 'a@b.example', settings: undefined },
  probe: { paths: ['/'], status: 200, text: undefined, connectTo: undefined, timeoutMs: 100 },
  ...{ provisionWithinMs: 10_000, probeWithinMs: 10_000, removeWithinMs: 10_000, leftAfterMs: 60_000, pollMs: 1 },
};
const run = (
  { api }: ReturnType<typeof fakeApi>,
  { stop = new AbortController().signal, ...other }: Partial<CanarySettings> & { stop?: AbortSignal } = {},
) => runCanary({ api, settings: { ...settings, ...other }, ended: new Set(), stop, log: { warn: () => undefined } });
const old = new Date(Date.now() - 3_600_000).toISOString();
const ofRun = (run: string) => ({ slug: `canary-${run}`, displayName: `Tenantry canary ${run}` });
const creations = ({ requests }: ReturnType<typeof fakeApi>) => requests.filter((one) => one === 'create').length;

describe('a run', () => {
  it('makes a tenant, deletes it without grace and reads its certificate', async () => {
    const fake = fakeApi();
    const report = await run(fake);
    expect(report).toMatchObject({
      outcome: 'succeeded',
      left: [],
      residues: ['secret n: kept, until AWS forgets it'],
    });
    expect(fake.requests).toContain(`delete ${report.slug} {"grace":"0"}`);
    expect([...fake.kept.values()].map(({ status }) => status)).toEqual(['deleted']);
    expect(Object.keys(report.seconds)).toEqual(['caller', 'leftovers', 'create', 'probe', 'remove', 'certificate']);
  });

  it('waits out an outage, a limit and a lost answer, and makes one tenant', async () => {
    const seen = new Map<string, number>();
    const times = (request: string) => seen.set(request, (seen.get(request) ?? 0) + 1).get(request) ?? 0;
    const fake = fakeApi({
      before: (request) => {
        if (request !== 'create' && times(request) === 1) throw refusal('DATABASE_UNAVAILABLE', 503);
      },
      after: (request) => {
        if (request === 'create' && times(request) <= 2) throw new ApiUnreachableError('cut off');
      },
    });
    expect(await run(fake)).toMatchObject({ outcome: 'succeeded' });
    expect(creations(fake)).toBe(3);
    expect(fake.kept.size).toBe(1);
  });

  it.each([
    ['FROZEN', 'skipped'],
    ['FEATURE_DISABLED', 'skipped'],
    ['CELL_CLOSED', 'skipped'],
    ['CELL_FULL', 'failed'],
    ['FORBIDDEN', 'failed'],
  ])('that is refused with %s is %s', async (code, outcome) => {
    const before = (request: string) => {
      if (request === 'create') throw refusal(code);
    };
    expect(await run(fakeApi({ before }))).toMatchObject({ outcome, code, phase: 'create', left: [] });
  });

  it('of an API that answers nothing fails in time, and says that a tenant may be there', async () => {
    const before = (request: string) => {
      if (request === 'create') throw new ApiUnreachableError('no route');
    };
    const report = await run(fakeApi({ before }), { provisionWithinMs: 60 });
    expect(report).toMatchObject({ outcome: 'failed', phase: 'create' });
    expect(report.left).toEqual([expect.stringMatching(/^perhaps a tenant named "Tenantry canary [0-9a-f]{12}"$/)]);
  });

  it('removes what was not made in time, and says at which step it stood', async () => {
    const fake = fakeApi({ provisioningEnds: 'never' });
    const report = await run(fake, { provisionWithinMs: 60 });
    expect(report).toMatchObject({ outcome: 'failed', phase: 'create', left: [] });
    expect(report.reason).toContain('not made in time: operation provision is running, at create_dns');
    expect([...fake.kept.values()].map(({ status }) => status)).toEqual(['deleted']);
  });

  it('whose removal is stuck says what is left; the next one tries once and makes nothing further', async () => {
    const fake = fakeApi({ removalEnds: 'stuck' });
    const report = await run(fake);
    expect(report).toMatchObject({ outcome: 'failed', phase: 'remove', code: 'ACCESS_DENIED' });
    expect(report.left).toEqual([`tenant ${report.slug} (${report.tenantId})`, 'route53:record x (create_dns)']);
    const next = await run(fake, { leftAfterMs: -1 });
    expect(next).toMatchObject({ outcome: 'failed', phase: 'leftovers', code: 'ACCESS_DENIED' });
    expect(creations(fake)).toBe(1);
    expect(fake.requests.filter((one) => one.startsWith('delete'))).toHaveLength(2);
    fake.faults.removalEnds = 'succeeded';
    expect(await run(fake, { leftAfterMs: -1 })).toMatchObject({ outcome: 'succeeded' });
  });

  it('that is told to stop asks for the removal, and leaves the rest to the next', async () => {
    const stop = new AbortController();
    const after = (request: string) => {
      if (request === 'create') stop.abort();
    };
    const fake = fakeApi({ after });
    const report = await run(fake, { stop: stop.signal });
    expect(report).toMatchObject({ outcome: 'skipped', reason: 'the canary was told to stop', left: [] });
    expect([...fake.kept.values()].map(({ status }) => status)).toEqual(['deleted']);
  });
});

describe('what an earlier run left', () => {
  it('is removed first', async () => {
    const fake = fakeApi();
    const left = fake.made({ ...ofRun('0123456789ab'), createdAt: old });
    expect(await run(fake)).toMatchObject({ outcome: 'succeeded' });
    expect(left.status).toBe('deleted');
  });

  it('is let be while it is young: another canary may be at work', async () => {
    const fake = fakeApi();
    const other = fake.made(ofRun('0123456789ab'));
    expect(await run(fake)).toMatchObject({ outcome: 'skipped', phase: 'leftovers' });
    expect([other.status, creations(fake)]).toEqual(['active', 0]);
  });

  it('is nothing that another caller made, or that is called otherwise', async () => {
    const fake = fakeApi({}, 'key:admin', 'all');
    const others = [
      fake.made({ ...ofRun('0123456789ab'), createdAt: old }, 'key:somebody'),
      fake.made({ slug: 'acme', displayName: 'Tenantry canary 0123456789ab', createdAt: old }, 'key:admin'),
      fake.made({ slug: 'canary-0123456789ab', displayName: 'Canary Inc', createdAt: old }, 'key:admin'),
    ];
    const own = fake.made({ ...ofRun('ba9876543210'), createdAt: old }, 'key:admin');
    expect(await run(fake)).toMatchObject({ outcome: 'succeeded' });
    expect(others.map(({ status }) => status)).toEqual(['active', 'active', 'active']);
    expect(own.status).toBe('deleted');
  });
});
