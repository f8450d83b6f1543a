/** What a canary does, in order. */
export const phases = ['caller', 'leftovers', 'create', 'probe', 'remove', 'certificate'] as const;
export type Phase = (typeof phases)[number];

/** `skipped`: nothing was tried, or it was stopped on the way; the reason says why. */
export const outcomes = ['succeeded', 'failed', 'skipped'] as const;
export type Outcome = (typeof outcomes)[number];

/** How a run ended. */
export interface CanaryReport {
  readonly outcome: Outcome;
  /** In which it ended. */
  readonly phase: Phase;
  /** A sentence; undefined of a success. */
  readonly reason: string | undefined;
  /** A code of the API, where it answered with one. */
  readonly code: string | undefined;
  readonly tenantId: string | undefined;
  readonly slug: string | undefined;
  readonly operationId: string | undefined;
  /** What is still there, in words. */
  readonly left: readonly string[];
  /** What stays for a while though it was removed, as the certificate says. */
  readonly residues: readonly string[];
  /** How long each phase took that was begun, in s. */
  readonly seconds: Readonly<Partial<Record<Phase, number>>>;
}

/** Ends a run. */
export class CanaryEndError extends Error {
  override readonly name = 'CanaryEndError';
  readonly outcome: Exclude<Outcome, 'succeeded'>;
  readonly code: string | undefined;
  readonly left: readonly string[];
  readonly operationId: string | undefined;
  constructor(outcome: Exclude<Outcome, 'succeeded'>, message: string, about: EndFacts = {}) {
    super(message, { cause: about.cause });
    this.outcome = outcome;
    this.code = about.code;
    this.left = about.left ?? [];
    this.operationId = about.operationId;
  }
}

export interface EndFacts {
  readonly code?: string | undefined;
  readonly left?: readonly string[] | undefined;
  readonly operationId?: string | undefined;
  readonly cause?: unknown;
}
