import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { RETRY_FOR_SECONDS, retryWaitSeconds, retryWaitsSeconds } from '../../../src/contracts/webhooks.ts';
import { pauseSecondsOf } from '../../../src/webhooks/retry-after.ts';
import { newSecret, signatureHeaders } from '../../../src/webhooks/signature.ts';

describe('the schedule', () => {
  it('is three days, of ever longer waits', () => {
    expect(RETRY_FOR_SECONDS).toBe(3 * 24 * 3_600);
    expect([...retryWaitsSeconds].sort((a, b) => a - b)).toEqual(retryWaitsSeconds);
    expect(retryWaitSeconds(1)).toBe(5);
    expect(retryWaitSeconds(retryWaitsSeconds.length)).toBe(12 * 3_600);
    expect(retryWaitSeconds(retryWaitsSeconds.length + 1)).toBeUndefined();
  });

  it('is the one of docs/webhooks.md', () => {
    const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
    const said = /^\| wait \| (.*) \|$/m.exec(page)?.[1]?.split(' | ');
    const units: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600 };
    expect(said?.map((text) => Number(text.split(' ')[0]) * (units[text.split(' ')[1] ?? ''] ?? NaN))).toEqual(
      retryWaitsSeconds,
    );
  });

  it('gives way to a longer pause that a receiver asks for', () => {
    expect(retryWaitSeconds(1, 600)).toBe(600);
    expect(retryWaitSeconds(10, 600)).toBe(12 * 3_600);
  });
});

describe('a pause that is asked for', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [429, '120', 120],
    [503, '120', 120],
    [429, 'Thu, 01 Jan 2026 00:02:00 GMT', 120],
    [429, '999999999', 3_600],
    [429, '9'.repeat(400), 3_600],
    [429, 'Fri, 01 Jan 2027 00:00:00 GMT', 3_600],
    [429, '0', undefined],
    [429, '-5', undefined],
    [429, 'Wed, 31 Dec 2025 00:00:00 GMT', undefined],
    [429, 'soon', undefined],
    [429, undefined, undefined],
    [500, '120', undefined],
  ])('%s with Retry-After %s: %s s', (status, header, seconds) => {
    expect(pauseSecondsOf(status, header, now)).toBe(seconds);
  });
});

describe('a signature', () => {
  const body = '{"type":"tenant.status"}';
  it('is read by the library of Standard Webhooks, by each of the secrets', () => {
    const [newer, older] = [newSecret(), newSecret()];
    const headers = signatureHeaders({ id: 'msg_1', at: new Date(), body }, [newer, older]);
    for (const secret of [newer, older])
      expect(new Webhook(secret).verify(body, headers)).toEqual({ type: 'tenant.status' });
    expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(newer).verify(`${body} `, headers)).toThrow('No matching signature');
    expect(() => new Webhook(newer).verify(body, { ...headers, 'webhook-id': 'msg_2' })).toThrow(
      'No matching signature',
    );
  });

  it('has the form of the standard', () => {
    expect(newSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    // The example of the standard's own test vectors.
    const headers = signatureHeaders(
      { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: new Date(1_614_265_330_000), body: '{"test": 2432232314}' },
      ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    );
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});
