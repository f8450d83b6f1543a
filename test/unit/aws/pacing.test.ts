import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketsOf, createPacer, sleep, TokenBucket } from '../../../src/aws/pacing.ts';

describe('TokenBucket', () => {
  it('gives its burst at once and then one token per interval', () => {
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 0);
    for (let i = 0; i < 3; i++) {
      expect(bucket.waitMs(0)).toBe(0);
      bucket.take(0);
    }
    expect(bucket.waitMs(0)).toBe(500);
    bucket.take(0);
    expect(bucket.waitMs(0)).toBe(1000);
    expect(bucket.waitMs(1000)).toBe(0);
  });

  it('never holds more than its burst, and takes back what was not used', () => {
    const bucket = new TokenBucket({ burst: 1, perSecond: 10 }, 0);
    bucket.take(60_000);
    expect(bucket.waitMs(60_000)).toBe(100);
    bucket.giveBack();
    expect(bucket.waitMs(60_000)).toBe(0);
  });

  it('never lets more through in any window than burst and refill allow', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }), (waits, burst, perSecond) => {
        const bucket = new TokenBucket({ burst, perSecond }, 0);
        const servedAtMs: number[] = [];
        let nowMs = 0;
        for (const wait of waits) {
          nowMs += wait;
          servedAtMs.push(nowMs + bucket.waitMs(nowMs));
          bucket.take(nowMs);
        }
        for (const [i, from] of servedAtMs.entries()) {
          for (const [j, to] of servedAtMs.entries()) {
            if (j >= i) expect(j - i + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * perSecond + 0.05);
          }
        }
        expect([...servedAtMs].sort((a, b) => a - b)).toEqual(servedAtMs);
      }),
      { numRuns: 50 },
    );
  });
});

describe('bucketsOf', () => {
  it.each([
    ['ecs', 'RegisterTaskDefinition', ['ecs-task-definition']],
    ['ecs', 'DeregisterTaskDefinition', ['ecs-task-definition']],
    ['ecs', 'DeleteTaskDefinitions', ['ecs-task-definition-delete']],
    ['ecs', 'UpdateService', ['ecs-service']],
    ['ssm', 'PutParameter', ['ssm-put']],
    ['ssm', 'GetParameter', []],
    ['ecs', 'DescribeServices', []],
    ['elasticloadbalancing', 'CreateRule', ['elbv2', 'elbv2-mutating']],
    ['elasticloadbalancing', 'DescribeTargetHealth', ['elbv2']],
    ['route53', 'GetChange', ['route53']],
    ['sts', 'GetCallerIdentity', []],
  ] as const)('%s %s', (service, action, buckets) => {
    expect(bucketsOf(service, action, action.startsWith('Describe') || action.startsWith('Get'))).toEqual(buckets);
  });
});

describe('createPacer', () => {
  it('serves waiters in order, no faster than the rate', async () => {
    const pacer = createPacer({ maxWaitMs: 2_000 }); // task definitions: 20 at once, then one per second
    const served: number[] = [];
    const startedAtMs = performance.now();
    await Promise.all(
      Array.from({ length: 21 }, async (_, i) => {
        await pacer.pace(['ecs-task-definition']);
        served.push(i);
      }),
    );
    expect(served).toEqual([...served].sort((a, b) => a - b));
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(950);
  });

  it('refuses at once, as throttled, what would have to wait too long', async () => {
    const pacer = createPacer({ maxWaitMs: 100 });
    for (let i = 0; i < 20; i++) await pacer.pace(['ecs-task-definition']);
    await expect(pacer.pace(['ecs-task-definition'])).rejects.toMatchObject({ code: 'THROTTLED' });
  });

  it('gives the token of an aborted wait to the next', async () => {
    const pacer = createPacer({ maxWaitMs: 1_500 });
    for (let i = 0; i < 20; i++) await pacer.pace(['ecs-task-definition']);
    const controller = new AbortController();
    const wait = pacer.pace(['ecs-task-definition'], controller.signal);
    controller.abort(new Error('cancelled'));
    await expect(wait).rejects.toThrow('cancelled');
    await pacer.pace(['ecs-task-definition']);
  });
});

describe('sleep', () => {
  it('does not begin when the signal is aborted already', async () => {
    await expect(sleep(10_000, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });
});
