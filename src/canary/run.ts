import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ApiError, type Accepted, type ApiClient, type CallerIdentity, type ListedTenant } from '../cli/api-client.ts';
import { problemOf } from './address.ts';
import { residuesOf } from './certified.ts';
import { findLeftovers } from './leftovers.ts';
import { newNames, runNamedBy, type RunNames } from './names.ts';
import { patience, stopped, type Patience } from './patience.ts';
import { notGone, remove } from './removal.ts';
import { CanaryEndError, type CanaryReport, type Phase } from './report.ts';
import type { CanarySettings } from './settings.ts';

/** Of the canary's own key: the log says in each run that it ends soon. */
const KEY_WARNING_MS = 7 * 86_400_000;

export interface RunDeps {
  readonly api: ApiClient;
  readonly settings: CanarySettings;
  /** Runs of this process that have ended: what they left is nobody's any more. */
  readonly ended: Set<string>;
  readonly stop: AbortSignal;
  readonly log: Pick<Logger, 'warn'>;
}

/** For requests that wait for nothing but the API, in ms. */
const ANSWER_WITHIN_MS = 60_000;
/** From the signal to stop until what was made is asked to go, in ms. */
const LEAVE_WITHIN_MS = 10_000;

/** Makes a tenant, looks at it from outside, removes it and reads the certificate of that. Never throws. */
export async function runCanary(deps: RunDeps): Promise<CanaryReport> {
  return new Run(deps).report();
}

/** Of the API: nothing is amiss, and nothing can be tried. */
const skipping: readonly string[] = ['FROZEN', 'FEATURE_DISABLED', 'CELL_CLOSED'];

class Run {
  readonly #deps: RunDeps;
  readonly #names: RunNames = newNames();
  readonly #seconds: Partial<Record<Phase, number>> = {};
  #phase: Phase = 'caller';
  /** Undefined: the product's tenants have their ids for slugs. */
  #slug: string | undefined;
  #wasAsked = false;
  #made: Accepted | undefined;
  #residues: readonly string[] = [];

  constructor(deps: RunDeps) {
    this.#deps = deps;
  }

  async report(): Promise<CanaryReport> {
    try {
      await this.#walk();
      return this.#reportOf('succeeded', {});
    } catch (error) {
      const end = endOf(error);
      const left = this.#deps.stop.aborted ? await this.#leave() : await this.#tidy(end);
      const { code, message, operationId, outcome } = end;
      return this.#reportOf(outcome, { code, message, operationId, left });
    } finally {
      this.#deps.ended.add(this.#names.run);
    }
  }

  async #walk(): Promise<void> {
    const { api, settings } = this.#deps;
    const caller = await this.#in('caller', ANSWER_WITHIN_MS, ({ ask }) => ask(() => api.caller()));
    this.#warnOf(caller);
    await this.#in('leftovers', settings.removeWithinMs, (own) => this.#removeLeftovers(caller, own));
    const made = await this.#in('create', settings.provisionWithinMs, (own) => this.#provision(own));
    await this.#in('probe', settings.probeWithinMs, (own) => this.#probe(made, own));
    const operationId = await this.#in('remove', settings.removeWithinMs, (own) => this.#remove(made, own));
    this.#residues = await this.#in('certificate', ANSWER_WITHIN_MS, ({ ask }) =>
      ask(() => residuesOf(api, { tenantId: made.tenantId, operationId })),
    );
  }

  #warnOf({ expiresAt, principal }: CallerIdentity): void {
    if (expiresAt !== null && Date.parse(expiresAt) - Date.now() < KEY_WARNING_MS)
      this.#deps.log.warn({ principal, expiresAt }, `the credential of the canary ends at ${expiresAt}: make another`);
  }

  async #in<T>(phase: Phase, withinMs: number, work: (own: Patience) => Promise<T>): Promise<T> {
    this.#phase = phase;
    const began = performance.now();
    try {
      return await work(this.#patience(withinMs));
    } finally {
      this.#seconds[phase] = (performance.now() - began) / 1_000;
    }
  }

  #patience(withinMs: number, stop = this.#deps.stop): Patience {
    return patience({ withinMs, pollMs: this.#deps.settings.pollMs, stop });
  }

  /** What a run that was killed has made goes first; while it does not, nothing further is made. */
  async #removeLeftovers(caller: CallerIdentity, own: Patience): Promise<void> {
    const { api, settings } = this.#deps;
    const found = await findLeftovers(api, caller, settings.product, own);
    for (const tenant of found.filter((each) => this.#isLeft(each)))
      await remove(api, tenant, own).catch((error: unknown) => {
        throw inWordsOf(`tenant ${tenant.slug} (${tenant.tenantId}) of an earlier run`, error);
      });
    const other = found.find((tenant) => !this.#isLeft(tenant));
    if (other)
      throw new CanaryEndError(
        'skipped',
        `another canary is at work, or was killed lately: tenant ${other.slug} is there since ${other.createdAt}; it is removed when it is older than ${settings.leftAfterMs / 60_000} min`,
      );
  }

  #isLeft(tenant: ListedTenant): boolean {
    const run = runNamedBy(tenant);
    if (run !== undefined && this.#deps.ended.has(run)) return true;
    return Date.now() - Date.parse(tenant.createdAt) > this.#deps.settings.leftAfterMs;
  }

  async #provision({ ask, until }: Patience): Promise<Accepted> {
    const { api, settings, stop } = this.#deps;
    const { product, tier, cell, contactEmail } = settings;
    const [listed] = (await ask(() => api.products())).products.filter(({ name }) => name === product);
    const { displayName, slug } = this.#names;
    this.#slug = listed?.slugs === 'tenant-id' ? undefined : slug;
    // What fails is rolled back at once: nobody looks at a canary that holds.
    const about = { product, tier, cell, settings: settings.settings };
    const asked = { ...about, slug: this.#slug, displayName, contactEmail, onFailure: 'rollback' };
    const key = randomUUID();
    this.#wasAsked = true;
    const made = await ask(() => api.create(asked, key));
    this.#made = made;
    if (stop.aborted) throw stopped();
    let last = await ask(() => api.status(made.tenantId));
    await until(
      async () => {
        last = await api.status(made.tenantId);
        if (last.operation.state === 'stuck') throw notGone(last, 'it was not made, and not rolled back');
        if (last.outcome === null) return undefined;
        if (last.outcome.state !== 'succeeded') throw notGone(last, 'it was not made');
        return true;
      },
      () => notGone(last, 'it is not made in time'),
    );
    return made;
  }

  async #probe({ tenantUrl }: Accepted, { until }: Patience): Promise<void> {
    if (typeof tenantUrl !== 'string') return;
    let problem: string | undefined;
    await until(
      async () => {
        problem = await problemOf(tenantUrl, this.#deps.settings.probe);
        return problem === undefined ? true : undefined;
      },
      () => new CanaryEndError('failed', `its address does not answer as it must: ${problem ?? ''}`),
    );
  }

  async #remove(made: Accepted, own: Patience): Promise<string> {
    const operationId = await remove(this.#deps.api, this.#removable(made), own);
    if (operationId === undefined) throw new CanaryEndError('failed', 'somebody else has removed the tenant');
    return operationId;
  }

  #removable({ tenantId }: Pick<Accepted, 'tenantId'>) {
    return { tenantId, slug: this.#slug ?? tenantId };
  }

  /** After a failure: what was made is removed all the same. @returns what is left */
  async #tidy(end: CanaryEndError): Promise<readonly string[]> {
    const made = this.#made;
    if (!made) return this.#wasAsked && end.code === undefined ? this.#perhaps() : end.left;
    if (this.#phase === 'certificate') return end.left;
    if (this.#phase === 'remove') return [this.#tenantLeft(made), ...end.left];
    try {
      await remove(this.#deps.api, this.#removable(made), this.#patience(this.#deps.settings.removeWithinMs));
      return [];
    } catch (error) {
      return [this.#tenantLeft(made), ...endOf(error).left];
    }
  }

  /** Told to stop: the removal is asked for, and carried out without this process. @returns what is left to the next run */
  async #leave(): Promise<readonly string[]> {
    const made = this.#made;
    if (!made) return this.#wasAsked ? this.#perhaps() : [];
    const never = new AbortController().signal;
    await remove(this.#deps.api, this.#removable(made), this.#patience(LEAVE_WITHIN_MS, never)).catch(() => undefined);
    const status = await this.#deps.api.status(made.tenantId).catch(() => undefined);
    return status?.status === 'deleted' ? [] : [this.#tenantLeft(made)];
  }

  /** No answer said whether it was made: the next run looks. */
  #perhaps(): readonly string[] {
    return [`perhaps a tenant named "${this.#names.displayName}"`];
  }

  #tenantLeft({ tenantId }: Accepted): string {
    return `tenant ${this.#slug ?? tenantId} (${tenantId})`;
  }

  #reportOf(outcome: CanaryReport['outcome'], end: EndParts): CanaryReport {
    const { code, left = [], message: reason, operationId = this.#made?.operationId } = end;
    const tenantId = this.#made?.tenantId;
    const made = { tenantId, slug: tenantId === undefined ? undefined : (this.#slug ?? tenantId), operationId };
    return {
      outcome,
      phase: this.#phase,
      reason,
      code,
      ...made,
      left,
      residues: this.#residues,
      seconds: this.#seconds,
    };
  }
}

type EndParts = Partial<Pick<CanaryEndError, 'code' | 'left' | 'message' | 'operationId'>>;

/** How what was thrown ends a run. */
function endOf(error: unknown): CanaryEndError {
  if (error instanceof CanaryEndError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ApiError)) return new CanaryEndError('failed', message, { cause: error });
  const outcome = skipping.includes(error.code) ? 'skipped' : 'failed';
  return new CanaryEndError(outcome, `the API refuses: ${message}`, { code: error.code, cause: error });
}

function inWordsOf(subject: string, error: unknown): CanaryEndError {
  const { cause, code, left, message, operationId, outcome } = endOf(error);
  return new CanaryEndError(outcome, `${subject}: ${message}`, { cause, code, left: [subject, ...left], operationId });
}
