import type { ProbeAnswer } from '../aws/probe.ts';
import type { HealthStatus } from '../contracts/health.ts';

/** An answer that takes longer is slow, in ms. */
export const SLOW_MS = 2_000;

/** What came of asking one step of a tenant. */
export interface Check {
  readonly stepId: string;
  readonly isCritical: boolean;
  /** `unseen`: the way to its load balancer is broken. */
  readonly seen: 'ok' | 'slow' | 'failed' | 'unseen';
  /** A phrase. */
  readonly detail: string;
}

export interface Verdict {
  readonly status: HealthStatus;
  /** Null: healthy. */
  readonly reason: string | null;
}

/** What our own side was like while the address was asked. */
export interface Surroundings {
  readonly tookMs: number;
  /** Whether the load balancer itself answers: asked where the tenant's address gave no answer at all. */
  readonly isWayOpen: boolean;
  /** The worker had so much to do that it may have missed an answer. */
  readonly isBusy: boolean;
}

export function seenOf(
  answer: ProbeAnswer,
  { tookMs, isWayOpen, isBusy }: Surroundings,
): Pick<Check, 'seen' | 'detail'> {
  if ('error' in answer) {
    const isUnseen = (!isWayOpen || isBusy) && answer.isCertificateInvalid !== true;
    const detail = isBusy ? `${answer.error}, and the worker was too busy to tell` : answer.error;
    return { seen: isUnseen ? 'unseen' : 'failed', detail };
  }
  // As readiness has it: any other answer is not the tenant's, or says that it does not serve.
  if (answer.status < 200 || answer.status > 399) return { seen: 'failed', detail: `it answers ${answer.status}` };
  if (tookMs > SLOW_MS && !isBusy)
    return { seen: 'slow', detail: `it takes ${(tookMs / 1000).toFixed(1)} s to answer` };
  return { seen: 'ok', detail: `${answer.status}` };
}

/** One verdict on a tenant. What failed for sure weighs more than what was not seen. */
export function verdictOf(checks: readonly Check[]): Verdict {
  const failed = checks.filter(({ seen }) => seen === 'failed');
  const critical = failed.filter(({ isCritical }) => isCritical);
  if (critical.length > 0) return { status: 'unhealthy', reason: reasonOf(critical) };
  const unseen = checks.filter(({ seen }) => seen === 'unseen');
  if (unseen.length > 0) return { status: 'unknown', reason: reasonOf(unseen) };
  const impaired = checks.filter(({ seen }) => seen !== 'ok');
  if (impaired.length > 0) return { status: 'degraded', reason: reasonOf(impaired) };
  return { status: 'healthy', reason: null };
}

function reasonOf(checks: readonly Check[]): string {
  return checks.map(({ stepId, detail }) => `${stepId}: ${detail}`).join('; ');
}
