import type { Platform } from '../../src/contracts/platform.ts';
import { askTenant } from './tenant-address.ts';

/** What a tenant's address answered during one chapter. */
export interface Answers {
  readonly asked: number;
  /** Each distinct failure with how often it was seen. */
  readonly failures: ReadonlyMap<string, number>;
}

export interface Prober {
  /** What was answered since the last call. Requests that are under way are waited for. */
  take(): Promise<Answers>;
  stop(): Promise<void>;
}

const EVERY_MS = 100;

/** Asks a tenant's address ten times a second, whether or not the request before was answered. */
export function startProber(platform: Platform, host: string, path: string): Prober {
  const underWay = new Set<Promise<void>>();
  let asked = 0;
  let failures = new Map<string, number>();
  const ask = async () => {
    const failure = await failureOf(platform, host, path);
    asked += 1;
    if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
  };
  const clock = setInterval(() => {
    const request = ask().finally(() => underWay.delete(request));
    underWay.add(request);
  }, EVERY_MS);
  return {
    async take() {
      await Promise.all(underWay);
      const taken = { asked, failures };
      asked = 0;
      failures = new Map();
      return taken;
    },
    async stop() {
      clearInterval(clock);
      await Promise.all(underWay);
    },
  };
}

async function failureOf(platform: Platform, host: string, path: string): Promise<string | undefined> {
  try {
    const { status } = await askTenant(platform, host, path);
    return status === 200 ? undefined : `answered ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
