import { appendFileSync } from 'node:fs';

/** What a line of the results is about; `docs/reliability.md` has a table for each. */
export type ResultSection = 'fault' | 'kill' | 'server' | 'sweep' | 'random' | 'mutant';

/**
 * Appends one line of JSON, `{ section, at, ...data }`, to the file that `TENANTRY_CHAOS_RESULTS` names: what was really
 * run, from which `scripts/reliability.ts` renders the published numbers. Does nothing when the variable is unset.
 */
export function recordResult(section: ResultSection, data: object): void {
  const file = process.env.TENANTRY_CHAOS_RESULTS;
  if (file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ section, at: new Date().toISOString(), ...data })}\n`);
}
