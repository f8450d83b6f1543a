/** What a finding is about, in a word for programs, by the requirement that asks for it. */
const checkNames = {
  'R-PRE-01': 'ecs-cluster',
  'R-PRE-02': 'backend-template',
  'R-PRE-03': 'frontend-template',
  'R-PRE-04': 'load-balancer-and-zone',
  'R-PRE-06': 'tenant-database',
  'R-PRE-07': 'existing-services',
} as const;

export type RequirementId = keyof typeof checkNames;

export type Verdict = 'ok' | 'warning' | 'problem';

/** One thing that the preflight looked at. */
export interface Finding {
  /** What was looked at: `cell default: ECS cluster`. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** What was seen and, unless it is well, what to do. */
  readonly detail: string;
  /** What it is about, a name each; empty where it belongs to none of the preflight's requirements. `docs/cli.md` lists them. */
  readonly checks: readonly string[];
  /** The same as ids of the requirements. Kept for programs that read it: `checks` says it in words. */
  readonly covers?: readonly RequirementId[];
}

function finding(verdict: Verdict, subject: string, detail: string, covers: readonly RequirementId[]): Finding {
  return { subject, verdict, detail, checks: covers.map((id) => checkNames[id]), covers };
}

export const ok = (subject: string, detail: string, ...covers: RequirementId[]): Finding =>
  finding('ok', subject, detail, covers);
export const warning = (subject: string, detail: string, ...covers: RequirementId[]): Finding =>
  finding('warning', subject, detail, covers);
export const problem = (subject: string, detail: string, ...covers: RequirementId[]): Finding =>
  finding('problem', subject, detail, covers);

/** A look that fails is a finding of its own; the others go on. */
export async function look(subject: string, find: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    const found = await find();
    return Array.isArray(found) ? found : [found];
  } catch (error) {
    return [problem(subject, error instanceof Error ? error.message : String(error))];
  }
}
