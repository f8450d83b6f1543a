import { describe, expect, it } from 'vitest';
import { DisturbedSignal, untilUndisturbed } from '../../../src/client/undisturbed.ts';

describe('what other requests disturb', () => {
  it('is tried again until it is left alone', async () => {
    let tries = 0;
    const attempt = () => ((tries += 1) < 5 ? Promise.reject(new DisturbedSignal()) : Promise.resolve('done'));
    expect(await untilUndisturbed(attempt)).toBe('done');
    expect(tries).toBe(5);
  });

  it('is refused in words that say to send it again when it is disturbed each time', async () => {
    let tries = 0;
    const attempt = () => Promise.reject(((tries += 1), new DisturbedSignal()));
    await expect(untilUndisturbed(attempt)).rejects.toMatchObject({
      ...{ name: 'RequestError', code: 'OPERATION_IN_PROGRESS', retryAfterSeconds: 1 },
      message: expect.stringContaining('nothing was changed: send it again') as string,
    });
    expect(tries).toBe(5);
  });

  it('that fails otherwise is not tried again', async () => {
    let tries = 0;
    const attempt = () => Promise.reject(((tries += 1), new Error('broken')));
    await expect(untilUndisturbed(attempt)).rejects.toThrow('broken');
    expect(tries).toBe(1);
  });
});
