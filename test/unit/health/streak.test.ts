import { expect, it } from 'vitest';
import type { HealthStatus } from '../../../src/contracts/health.ts';
import { countResult, type Streak } from '../../../src/health/streak.ts';

function after(...results: HealthStatus[]): { status: HealthStatus | null; changes: HealthStatus[] } {
  let streak: Streak | undefined;
  const changes: HealthStatus[] = [];
  for (const result of results) {
    const { results: equal, becomes } = countResult(streak, result);
    if (becomes) changes.push(becomes);
    streak = { status: becomes ?? streak?.status ?? null, result, results: equal };
  }
  return { status: streak?.status ?? null, changes };
}

it('changes after three equal results in a row, and then no more', () => {
  expect(after('healthy').changes).toEqual(['healthy']);
  expect(after('healthy', 'unhealthy', 'unhealthy').status).toBe('healthy');
  expect(after('healthy', 'unhealthy', 'unhealthy', 'unhealthy', 'unhealthy').changes).toEqual([
    'healthy',
    'unhealthy',
  ]);
  expect(after('healthy', 'unhealthy', 'unhealthy', 'degraded', 'unhealthy').status).toBe('healthy');
});

it('begins without a verdict, which only a healthy look gives at once', () => {
  expect(after('unhealthy', 'unhealthy').status).toBeNull();
  expect(after('unhealthy', 'healthy').status).toBe('healthy');
  expect(after('unknown', 'unknown', 'unknown').changes).toEqual(['unknown']);
  expect(after('unknown', 'unknown', 'unknown', 'healthy').status).toBe('unknown');
});
