import type { ConformanceParts } from '../../testing/index.ts';
import { part } from '../support/parts.ts';

/** The servers that all test files of a run share. */
export async function sharedParts(): Promise<ConformanceParts> {
  const [ministack, postgres] = await Promise.all([part('ministack'), part('postgres')]);
  return { ministackUrl: ministack.url, postgres };
}
