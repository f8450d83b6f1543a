export type Verdict = 'ok' | 'warning' | 'problem';

/** One thing that the preflight looked at. */
export interface Finding {
  /** What was looked at: `cell default: ECS cluster`. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** What was seen and, unless it is well, what to do. */
  readonly detail: string;
  /** Requirement ids of the catalogue. */
  readonly covers?: readonly string[];
}

export const ok = (subject: string, detail: string, ...covers: string[]): Finding => ({
  subject,
  verdict: 'ok',
  detail,
  covers,
});
export const warning = (subject: string, detail: string, ...covers: string[]): Finding => ({
  subject,
  verdict: 'warning',
  detail,
  covers,
});
export const problem = (subject: string, detail: string, ...covers: string[]): Finding => ({
  subject,
  verdict: 'problem',
  detail,
  covers,
});

/** A look that fails is a finding of its own; the others go on. */
export async function look(subject: string, find: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    const found = await find();
    return Array.isArray(found) ? found : [found];
  } catch (error) {
    return [problem(subject, error instanceof Error ? error.message : String(error))];
  }
}
