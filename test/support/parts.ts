import { inject } from 'vitest';

/** What the parts that all test files of a run share say about themselves. */
export type Parts = {
  /** For a test of its own rather use `createTestDatabase` of database.ts. */
  postgres: { controlUrl: string; tenantUrl: string; adminUrl: string };
  ministack: { url: string };
  /** The real development server; search attributes are registered. */
  temporal: { address: string; namespace: string };
  /** For `TestWorkflowEnvironment.createTimeSkipping`: each test file runs its own, as time is global in it. */
  timeSkipping: { executable: string };
};

export type PartName = keyof Parts;

/** A part of this run, started when nobody has asked for it before. */
export async function part<P extends PartName>(name: P): Promise<Parts[P]> {
  const response = await fetch(`${inject('partsUrl')}/${name}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`part "${name}" of the test run did not start: ${text}`);
  return JSON.parse(text) as Parts[P];
}

export { freshAccountId } from '../../testing/parts.ts';
