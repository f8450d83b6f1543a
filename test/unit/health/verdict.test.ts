import { describe, expect, it } from 'vitest';
import { SLOW_MS, seenOf, verdictOf, type Check, type Surroundings } from '../../../src/health/verdict.ts';

const check = (stepId: string, seen: Check['seen'], isCritical = true): Check => ({
  ...{ stepId, isCritical, seen },
  detail: `is ${seen}`,
});

describe('the verdict on a tenant', () => {
  it.each<[string, Check[], string, string | null]>([
    ['everything answers', [check('a', 'ok'), check('b', 'ok')], 'healthy', null],
    ['something critical fails', [check('a', 'ok'), check('b', 'failed')], 'unhealthy', 'b: is failed'],
    ['something else fails', [check('a', 'ok'), check('b', 'failed', false)], 'degraded', 'b: is failed'],
    ['something is slow', [check('a', 'slow'), check('b', 'ok')], 'degraded', 'a: is slow'],
    ['the way is closed', [check('a', 'unseen'), check('b', 'unseen')], 'unknown', 'a: is unseen; b: is unseen'],
    [
      'a failure is seen beside a closed way',
      [check('a', 'unseen'), check('b', 'failed')],
      'unhealthy',
      'b: is failed',
    ],
    ['a closed way hides whether it is more', [check('a', 'unseen'), check('b', 'slow')], 'unknown', 'a: is unseen'],
  ])('where %s', (_where, checks, status, reason) => {
    expect(verdictOf(checks)).toEqual({ status, reason });
  });
});

const usual: Surroundings = { tookMs: 10, isWayOpen: true, isBusy: false };
const late: Surroundings = { ...usual, tookMs: SLOW_MS + 1 };

describe('what came of a question', () => {
  it.each<[string, Parameters<typeof seenOf>, Check['seen']]>([
    ['an answer', [{ status: 200 }, usual], 'ok'],
    ['a redirect', [{ status: 302 }, usual], 'ok'],
    ['a late answer', [{ status: 200 }, late], 'slow'],
    ['a late answer to a worker that was busy', [{ status: 200 }, { ...late, isBusy: true }], 'ok'],
    ['an error', [{ status: 503 }, usual], 'failed'],
    ['an error that a busy worker got', [{ status: 503 }, { ...usual, isBusy: true }], 'failed'],
    ["somebody else's answer", [{ status: 404 }, usual], 'failed'],
    ['no answer', [{ error: 'no answer within 5000 ms' }, late], 'failed'],
    ['no answer to a worker that was busy', [{ error: 'no answer' }, { ...late, isBusy: true }], 'unseen'],
    ['no answer where nobody gets one', [{ error: 'ECONNREFUSED' }, { ...usual, isWayOpen: false }], 'unseen'],
    ['a wrong certificate', [{ error: 'expired', isCertificateInvalid: true }, usual], 'failed'],
  ])('is judged: %s', (_what, given, seen) => {
    expect(seenOf(...given).seen).toBe(seen);
  });
});
