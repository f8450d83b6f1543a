import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defaultLimits, limitsConfigOf, limitsOf, limitsVariables, noLimits } from '../../src/limits-config.ts';

const environment = z.object(limitsVariables);
const read = (given: Record<string, string>) => limitsConfigOf(environment.parse(given));
const problemsOf = (given: Record<string, string>) =>
  environment.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

describe('limits of the environment', () => {
  it('are the default where callers are asked, and none where they are not', () => {
    expect(limitsOf(read({}).limits, true)).toEqual(defaultLimits);
    expect(limitsOf(read({}).limits, false)).toEqual(noLimits);
  });

  it.each([
    ['100/1s', { requests: 100, windowMs: 1_000 }],
    ['5/m', { requests: 5, windowMs: 60_000 }],
    ['1000000/24h', { requests: 1_000_000, windowMs: 86_400_000 }],
    ['off', undefined],
  ])('are read: %s', (text, rate) => {
    expect(limitsOf(read({ TENANTRY_RATE_READS: text }).limits, true)).toEqual({ ...defaultLimits, reads: rate });
    expect(limitsOf(read({ TENANTRY_RATE_READS: text }).limits, false).reads).toEqual(rate);
  });

  it.each(['0/1m', '-1/1m', '10', '10/0s', '10/1d', '10 / 1m', '1e3/1m', '1.5/1s', '1000001/1m', '1/25h', 'OFF', ''])(
    'are refused when they say %j',
    (text) => {
      for (const name of ['READS', 'CHANGES', 'TENANT_READS', 'TENANT_CHANGES', 'REFUSED', 'PACE'])
        expect(problemsOf({ [`TENANTRY_RATE_${name}`]: text }).join()).toMatch(
          new RegExp(`^TENANTRY_RATE_${name} must be off, or a number of requests`),
        );
    },
  );

  it.each(['0', '-1', '1.5', '10001', 'many', '1e3'])('are no number %s', (text) => {
    for (const name of ['IN_FLIGHT', 'STREAMS'])
      expect(problemsOf({ [`TENANTRY_RATE_${name}`]: text }).join()).toContain(`TENANTRY_RATE_${name} must be off, or`);
  });
});

describe('origins that pages may come from', () => {
  it('are named exactly', () => {
    expect(read({}).corsOrigins).toEqual([]);
    expect(
      read({ TENANTRY_CORS_ORIGINS: 'https://a.example, https://b.example:8443,http://localhost:3000' }).corsOrigins,
    ).toEqual(['https://a.example', 'https://b.example:8443', 'http://localhost:3000']);
  });

  it.each([
    ...['*', 'null', 'https://*.example.com', 'https://a.example/', 'https://a.example/path', 'https://A.example'],
    ...['https://a.example:443', 'http://a.example', 'a.example', 'https://u:p@a.example', 'https://a.example,,'],
  ])('are not %s', (text) => {
    expect(problemsOf({ TENANTRY_CORS_ORIGINS: text }).join()).toContain('TENANTRY_CORS_ORIGINS must be origins');
  });
});
