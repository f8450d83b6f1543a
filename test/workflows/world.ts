import { ApplicationFailure, Context } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import type { Activities } from '../../src/contracts/activities.ts';
import { FINALIZE_STEP, type PlannedStep } from '../../src/contracts/blueprint.ts';
import { errorInfo, type ErrorCode, type Failure } from '../../src/contracts/errors.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import type {
  Claim,
  ClaimInput,
  CloseAnswer,
  CloseInput,
  ConfirmAnswer,
  ConfirmInput,
  EnsureAnswer,
  Leftover,
  LeftoversInput,
  ObserveAnswer,
  ObserveCall,
  RemoveAnswer,
  StateChange,
  StateChangeAnswer,
  StepCall,
  Takeover,
} from '../../src/contracts/messages.ts';
import {
  isClosed,
  isOpen,
  operationStateTransitions,
  type OnFailure,
  type OperationState,
} from '../../src/contracts/operation-state.ts';
import { operationTable, type OperationRules, type OperationType } from '../../src/contracts/operation-table.ts';
import { tenantStatusTransitions, type TenantStatus } from '../../src/contracts/tenant-status.ts';
import { ancestorsOf } from '../../src/plan/graph.ts';

/** How one attempt goes wrong. */
export interface Fault {
  readonly code: ErrorCode;
  readonly detail?: string;
  /** The attempt only waited for its turn, which comes so much later. */
  readonly retryAfterMs?: number;
  /** The effect landed all the same. */
  readonly effect?: boolean;
  /** The effect lands so much later. */
  readonly landsAfterMs?: number;
  /** No answer ever comes: the attempt runs into its start-to-close time-out. */
  readonly hangs?: boolean;
}

/** What a step does, attempt by attempt; the last entry goes on. */
export interface Behavior {
  readonly ensure?: readonly ('ok' | Fault)[];
  /** After an `ensure`: ready only so much later; 'never' polls to the deadline. */
  readonly readyAfterMs?: number | 'never';
  /** A definite failure that `observe` meets, once per generation listed. */
  readonly failsInGenerations?: readonly number[];
  /** Looks before the commit that find it not ready any more, from the first on. */
  readonly lostFor?: number;
  readonly remove?: readonly ('ok' | Fault)[];
  /** On the way back, of a step that was to be changed. */
  readonly restore?: readonly ('ok' | Fault)[];
  readonly goneAfterMs?: number | 'never';
  /** Removals that are answered and leave it standing: its effect came late, right after them. */
  readonly standsAfterRemovals?: number;
  readonly outputs?: readonly string[];
}

export interface WorldOptions {
  readonly steps: readonly PlannedStep[];
  readonly type?: OperationType;
  readonly onFailure?: OnFailure;
  readonly holdMs?: number;
  /** Nothing may be removed for so long after the claim. */
  readonly graceMs?: number;
  readonly behaviors?: Readonly<Record<string, Behavior>>;
  /** Steps that an operation before this one has applied. */
  readonly applied?: readonly string[];
  /** The operation is stuck, its run was lost with all these steps made; the workflow started takes over. */
  readonly takeover?: Takeover;
  /** The claim is lost to another run. */
  readonly claimed?: boolean;
  readonly claimFault?: Fault;
  /**
   * A final failure is thrown only when nothing else is in flight. The time-skipping server, unlike the real one, refuses
   * to cancel an activity that completes at the same moment, and then stands still.
   */
  readonly calmFailures?: boolean;
  /** Called within the change to this state, after it was made and before it is answered. */
  readonly onState?: (world: World, state: OperationState) => Promise<void>;
  /** States that the database refuses, once each. */
  readonly refuses?: readonly OperationState[];
}

/** A step without a spec; every kind is alike here but `finalize`'s. */
export function step(id: string, needs: readonly string[] = [], more: Partial<PlannedStep> = {}): PlannedStep {
  return { id, kind: id === FINALIZE_STEP ? 'tenant-activation' : 'log-group', needs, ...more };
}

/** The run that a world's operation was lost by. */
export const LOST_RUN = 'lost-run';

/** How long after an unclear attempt the world wants another look: the lateness window. */
const LATENESS_MS = 40_000;

/**
 * One tenant's world: which steps' resources exist, and what must hold among them. Whatever must never happen is collected in
 * `violations`: a step made before those it needs, one removed while a living one needs it, forward work beside an undo.
 */
export class World {
  readonly operationId = randomUUID();
  readonly tenantId = randomUUID();
  readonly violations: string[] = [];
  /** Every call in order, as `<step>.<verb>` and `state:<state>`. */
  readonly calls: string[] = [];
  readonly changes: StateChange[] = [];
  closed: CloseInput | undefined;
  state: OperationState = 'accepted';
  tenantStatus: TenantStatus;
  readonly options: WorldOptions;
  readonly rules: OperationRules;
  readonly steps: ReadonlyMap<string, PlannedStep>;
  readonly living = new Set<string>();
  readonly #ready = new Set<string>();
  readonly #landsAtMs = new Map<string, number>();
  readonly #unclearUntilMs = new Map<string, number>();
  readonly #readyAtMs = new Map<string, number>();
  readonly #goneAtMs = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly #refuses: Set<OperationState>;
  readonly #gates = new Map<string, { reach: () => void; opened: Promise<void> }>();
  readonly #fixed = new Set<string>();
  /** Steps that are not as they were applied. */
  readonly #altered = new Set<string>();
  /** The last in which each was changed. */
  readonly #generations = new Map<string, number>();
  #forwardInFlight = 0;
  /** Undefined: there is no grace period, or it is over. */
  #graceUntilMs: number | undefined;
  #failing = 0;
  #watchers: (() => void)[] = [];
  readonly #ancestors: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(options: WorldOptions) {
    this.options = options;
    this.steps = new Map(options.steps.map((s) => [s.id, s]));
    this.#ancestors = ancestorsOf(options.steps);
    this.#refuses = new Set(options.refuses);
    this.rules = operationTable[options.type ?? 'provision'];
    this.tenantStatus = this.rules.tenantStatus.acceptedFrom[0] ?? 'pending';
    if (options.takeover) {
      this.state = 'stuck';
      this.tenantStatus = this.rules.tenantStatus.stuck;
    }
    if (this.rules.target === 'nothing' || options.takeover) {
      for (const s of options.steps) if (s.id !== FINALIZE_STEP) this.living.add(s.id);
    }
    const isAstray =
      this.rules.target === 'applied' || (options.takeover && options.takeover.removesIn !== 'committing');
    if (isAstray) for (const { id } of this.#toBringBack) this.#altered.add(id);
    for (const s of options.steps) {
      if (s.becomes === undefined || s.becomes === 'make') continue;
      this.living.add(s.id);
      this.#ready.add(s.id);
    }
  }

  /** From now on the step does as it should. */
  fix(stepId: string): void {
    this.#fixed.add(stepId);
  }

  /** Stops the next such call (`<step>.<verb>` or `state:<state>`) at its entry until it is opened. */
  gate(call: string): { reached: Promise<void>; open: () => void } {
    let reach = (): void => undefined;
    let open = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gates.set(call, { reach, opened });
    return { reached, open };
  }

  /** Resolves once this holds. */
  async until(holds: (world: World) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  untilState(state: OperationState): Promise<void> {
    return this.until((w) => w.state === state);
  }

  count(call: string): number {
    return this.calls.filter((c) => c === call).length;
  }

  async claim({ takesOver }: ClaimInput): Promise<Claim> {
    await this.#enter('claim');
    const { type = 'provision', onFailure = 'hold', holdMs = 30 * 60_000, steps, applied, takeover } = this.options;
    const isMeant = takeover ? this.state === 'stuck' && takesOver === LOST_RUN : takesOver === undefined;
    if (this.options.claimed === false || !isMeant) return { claimed: false };
    if (!takeover) {
      this.#setState('running');
      this.#setTenant(this.rules.tenantStatus.claimed);
    }
    if (this.options.claimFault) throw asFailure(this.options.claimFault);
    return {
      claimed: true,
      operationId: this.operationId,
      type,
      tenantId: this.tenantId,
      product: 'moamalat',
      tier: null,
      slug: 'acme',
      tenantStatus: this.tenantStatus,
      onFailure,
      holdMs,
      steps,
      ...(applied ? { applied } : {}),
      ...(this.#toBringBack.length > 0 ? { restore: this.#toBringBack } : {}),
      ...(this.options.graceMs === undefined ? {} : { graceUntil: this.#waitUntil(this.options.graceMs) }),
      ...(takeover ? { takeover } : {}),
    };
  }

  #waitUntil(graceMs: number): string {
    this.#graceUntilMs = nowMs() + graceMs;
    return new Date(this.#graceUntilMs).toISOString();
  }

  async changeState(change: StateChange): Promise<StateChangeAnswer> {
    await this.#enter(`state:${change.state}`);
    const refused = this.#refuses.delete(change.state) || !isOpen(this.state) || !this.#mayEnter(change.state);
    if (!refused) {
      if (this.state === 'stuck' && change.state === 'running' && this.#graceUntilMs === undefined)
        this.violations.push('went on from stuck without a grace period');
      if (change.state === 'committing' && nowMs() < (this.#graceUntilMs ?? 0))
        this.violations.push('committed within its grace period');
      if (change.state === 'committing') this.#graceUntilMs = undefined;
      if (change.state === 'holding') this.#refuseWaiting('held');
      this.changes.push(change);
      this.#setState(change.state);
      await this.options.onState?.(this, change.state);
      const { stuck, retried } = this.rules.tenantStatus;
      if (change.state === 'stuck') this.#setTenant(stuck);
      else if (change.state === 'rolling-back' && this.tenantStatus === stuck) this.#setTenant(retried);
    }
    const closedAs = isClosed(this.state) ? { closedAs: this.state } : {};
    return { changed: !refused, tenantStatus: this.tenantStatus, ...closedAs };
  }

  async close(input: CloseInput): Promise<CloseAnswer> {
    await this.#enter(`close:${input.state}`);
    if (!operationStateTransitions[this.state].includes(input.state))
      this.violations.push(`closed as ${input.state} from ${this.state}`);
    if (this.#forwardInFlight > 0) this.violations.push('closed with forward work in flight');
    const left = [...this.living].filter((id) => !this.#staysAt(input.state, id));
    if (left.length > 0) {
      if (this.rules.emptyLedgerAt.includes(input.state)) throw asFailure({ code: 'STILL_PRESENT' });
      this.violations.push(`closed as ${input.state} with ${left.join(', ')}`);
    }
    for (const { id } of this.#toBringBack) {
      this.#land(id);
      if (this.#landsAtMs.has(id)) this.violations.push(`closed while an effect on ${id} may still land`);
    }
    if ((input.state !== 'succeeded' || this.rules.target === 'applied') && this.#altered.size > 0)
      this.violations.push(`closed as ${input.state} without a way back for ${[...this.#altered].join(', ')}`);
    this.#setState(input.state);
    this.closed = input;
    const { succeeded, undone } = this.rules.tenantStatus;
    if (input.state === 'cancelled' && this.#graceUntilMs !== undefined) this.#setTenant('active');
    else if (input.state !== 'succeeded') this.#setTenant(undone[this.tenantStatus] ?? this.tenantStatus);
    else if (this.rules.succeedsBy === 'close') this.#setTenant(succeeded);
    return { tenantStatus: this.tenantStatus };
  }

  #staysAt(end: CloseInput['state'], id: string): boolean {
    if (end === 'cancelled' && this.#graceUntilMs !== undefined) return true;
    if (end !== 'succeeded') return this.options.applied?.includes(id) === true;
    return this.rules.target !== 'nothing' && !this.#goesPastCommit(id);
  }

  /** What the target does not hold, and what was only on the way to it. */
  #goesPastCommit(id: string): boolean {
    const { becomes, transient } = this.steps.get(id) ?? {};
    return becomes === 'drop' || transient === true;
  }

  get #restoresIn(): OperationState {
    return this.rules.target === 'applied' ? 'committing' : 'rolling-back';
  }

  get #toBringBack(): PlannedStep[] {
    return [...this.steps.values()].filter(({ becomes }) => becomes === 'change' || becomes === 'restore');
  }

  /** The database side of an abandon or a DELETE while stuck, or of a cancel in the grace period. */
  closeInDatabase(state: 'abandoned' | 'superseded' | 'cancelled'): void {
    this.#setState(state);
  }

  async confirmReady({ stepIds }: ConfirmInput): Promise<ConfirmAnswer> {
    await this.#enter('confirm');
    if (this.state !== 'running') this.violations.push(`confirmed while ${this.state}`);
    this.#refuseWaiting('looked at all else');
    const lost = stepIds.filter((id) => {
      const { lostFor = 0 } = this.#behavior(id);
      return this.#attempt(`${id}.confirm`) <= lostFor && !this.#fixed.has(id);
    });
    for (const id of stepIds) if (!this.#ready.has(id)) this.violations.push(`${id} confirmed before it was ready`);
    return { notReady: lost.map((stepId) => ({ stepId, detail: `nothing of ${stepId} is there` })) };
  }

  /** What is made last is in the way of others while it is there. */
  #refuseWaiting(what: string): void {
    for (const { id, last } of this.steps.values())
      if (last === true && this.living.has(id)) this.violations.push(`${what} while ${id} is there`);
  }

  async leftovers({ toRestore = [] }: LeftoversInput): Promise<Leftover[]> {
    await this.#enter('leftovers');
    const left = [...this.living].sort().map((id) => ({ stepId: id, type: 'thing', name: id, reason: 'still there' }));
    const astray = toRestore.map(({ stepId, failure }) => ({
      ...{ stepId, type: 'thing', name: stepId, reason: 'not brought back' },
      ...(failure && { code: failure.code }),
    }));
    return [...left, ...astray];
  }

  async ensure(call: StepCall): Promise<EnsureAnswer> {
    return this.#isOnTheWayBack(call) ? this.#restore(call) : this.#ensure(call);
  }

  /** What is only restored is walked forward, by the applied blueprint. */
  #isOnTheWayBack({ stepId, goesBack }: StepCall): boolean {
    const isOnlyRestored = this.state === 'running' && this.steps.get(stepId)?.becomes === 'restore';
    if (isOnlyRestored && goesBack !== true) this.violations.push(`${stepId} was not walked by the applied blueprint`);
    return goesBack === true && !isOnlyRestored;
  }

  /** Brings back a step that was to be changed. */
  async #restore(call: StepCall): Promise<EnsureAnswer> {
    const { stepId, generation } = call;
    await this.#enter(`${stepId}.restore`);
    if (this.state !== this.#restoresIn) this.violations.push(`${stepId} restored while ${this.state}`);
    if (this.#forwardInFlight > 0) this.violations.push(`${stepId} restored with forward work in flight`);
    if (generation <= (this.#generations.get(stepId) ?? 0))
      this.violations.push(`${stepId} restored in generation ${generation}, as it was changed`);
    const nth = this.#attempt(`${stepId}.restore`);
    const outcome = this.#outcome(stepId, 'restore', nth);
    if (outcome !== 'ok') throw asFailure(outcome);
    this.#land(stepId);
    this.#altered.delete(stepId);
    this.#changed();
    return { ...this.#ensured(call, nth), ...this.#recheck(stepId) };
  }

  async #ensure(call: StepCall): Promise<EnsureAnswer> {
    const { stepId } = call;
    this.#forwardInFlight += 1;
    try {
      await this.#enter(`${stepId}.ensure`);
      const before = this.calls.findLast((call) => !call.startsWith(`${stepId}.`));
      if (this.steps.get(stepId)?.last === true && before !== 'confirm')
        this.violations.push(`${stepId} ensured without a look at all else`);
      const expected = stepId === FINALIZE_STEP ? 'committing' : 'running';
      if (this.state !== expected) this.violations.push(`${stepId} ensured while ${this.state}`);
      for (const need of this.steps.get(stepId)?.needs ?? [])
        if (!this.#ready.has(need)) this.violations.push(`${stepId} ensured before ${need} was ready`);
      const nth = this.#attempt(`${stepId}.ensure`);
      const outcome = this.#outcome(stepId, 'ensure', nth);
      this.#ready.delete(stepId);
      const becomes = this.steps.get(stepId)?.becomes;
      if (becomes === 'change' || becomes === 'restore') {
        this.#altered.add(stepId);
        this.#generations.set(stepId, call.generation);
      }
      if (outcome !== 'ok') await this.#goWrong(stepId, outcome);
      if (becomes === 'restore') this.#altered.delete(stepId);
      this.#make(stepId);
      return this.#ensured(call, nth);
    } finally {
      this.#forwardInFlight -= 1;
    }
  }

  #ensured({ stepId }: StepCall, nth: number): EnsureAnswer {
    const { readyAfterMs, failsInGenerations, outputs = ['same'] } = this.#behavior(stepId);
    const outputsHash = outputs[Math.min(nth, outputs.length) - 1] ?? 'same';
    if (stepId === FINALIZE_STEP) this.#setTenant('active');
    if (stepId !== FINALIZE_STEP && this.tenantStatus === 'validating') this.#setTenant('creating');
    const tenantStatus = this.tenantStatus;
    if (readyAfterMs === undefined && failsInGenerations === undefined) {
      this.#ready.add(stepId);
      return { status: 'ready', outputsHash, tenantStatus };
    }
    const readyMs = readyAfterMs === 'never' ? Infinity : (readyAfterMs ?? 0);
    this.#readyAtMs.set(stepId, nowMs() + readyMs);
    return { status: 'pending', outputsHash, tenantStatus, detail: 'starting' };
  }

  async observe(call: ObserveCall): Promise<ObserveAnswer> {
    const isForward = call.want === 'ready' && !this.#isOnTheWayBack(call);
    this.#forwardInFlight += isForward ? 1 : 0;
    try {
      return await this.#observe(call);
    } finally {
      this.#forwardInFlight -= isForward ? 1 : 0;
    }
  }

  async #observe(call: ObserveCall): Promise<ObserveAnswer> {
    const { stepId, want, deadlineAtMs, generation } = call;
    const goesBack = want === 'ready' && this.#isOnTheWayBack(call);
    await this.#enter(`${stepId}.observe-${goesBack ? 'restored' : want}`);
    if (want === 'gone') return this.#observeGone(call);
    if (this.state !== (goesBack ? this.#restoresIn : 'running'))
      this.violations.push(`${stepId} observed while ${this.state}`);
    const { failsInGenerations = [] } = this.#behavior(stepId);
    if (failsInGenerations.includes(generation) && !this.#fixed.has(stepId)) {
      if (this.options.calmFailures) await this.#calm();
      throw asFailure({ code: 'SERVICE_FAILED', detail: `the tasks of ${stepId} stop` });
    }
    if (this.#fixed.has(stepId) || nowMs() >= (this.#readyAtMs.get(stepId) ?? 0)) {
      this.#ready.add(stepId);
      return { status: 'done', ...(goesBack ? this.#recheck(stepId) : {}) };
    }
    const detail = `0 of 1 tasks of ${stepId} run`;
    if (nowMs() >= deadlineAtMs) {
      if (this.options.calmFailures) await this.#calm();
      throw asFailure({ code: 'DEADLINE_EXCEEDED', detail });
    }
    return { status: 'pending', detail };
  }

  #observeGone({ stepId, deadlineAtMs }: ObserveCall): ObserveAnswer {
    this.#land(stepId);
    const goneAtMs = this.#goneAtMs.get(stepId);
    if (goneAtMs !== undefined && (nowMs() >= goneAtMs || this.#fixed.has(stepId))) {
      this.living.delete(stepId);
      this.#goneAtMs.delete(stepId);
    }
    if (!this.living.has(stepId)) return { status: 'done', ...this.#recheck(stepId) };
    if (this.#stands(stepId)) return { status: 'pending', stands: true, detail: `${stepId} is there` };
    if (nowMs() >= deadlineAtMs) throw asFailure({ code: 'STILL_PRESENT', detail: `${stepId} drains` });
    return { status: 'pending', detail: `${stepId} drains` };
  }

  async remove(call: StepCall): Promise<RemoveAnswer> {
    const { stepId } = call;
    await this.#enter(`${stepId}.remove`);
    const { becomes, transient } = this.steps.get(stepId) ?? {};
    const isOver = transient === true && this.changes.some(({ state }) => state === 'committing');
    const isDrop = this.rules.succeedsBy === 'close' && (becomes === 'drop' || isOver);
    const { takeover } = this.options;
    const isCommitted = takeover ? takeover.removesIn === 'committing' : isDrop;
    const removesIn = isDrop && isCommitted ? 'committing' : this.rules.removesIn;
    const { last = false, undoFirst = false } = this.steps.get(stepId) ?? {};
    // Before it is waited for anybody.
    const expected = last && this.state === 'running' ? 'running' : removesIn;
    const goesFirst = undoFirst || last;
    if (!goesFirst && this.#altered.size > 0 && (expected === 'rolling-back' || this.rules.target === 'applied'))
      this.violations.push(`${stepId} removed before ${[...this.#altered].join(', ')} was brought back`);
    if (this.state !== expected) this.violations.push(`${stepId} removed while ${this.state}`);
    if (this.#forwardInFlight > 0) this.violations.push(`${stepId} removed with forward work in flight`);
    this.#checkUnused(stepId);
    const outcome = this.#outcome(stepId, 'remove', this.#attempt(`${stepId}.remove`));
    if (outcome !== 'ok') {
      if (outcome.effect) this.living.delete(stepId);
      throw asFailure(outcome);
    }
    this.#land(stepId);
    this.#ready.delete(stepId);
    if (this.#stands(stepId)) return { status: 'pending', ...this.#recheck(stepId) };
    const { goneAfterMs } = this.#behavior(stepId);
    if (goneAfterMs !== undefined && this.living.has(stepId) && !this.#fixed.has(stepId)) {
      this.#goneAtMs.set(stepId, goneAfterMs === 'never' ? Infinity : nowMs() + goneAfterMs);
      return { status: 'pending', ...this.#recheck(stepId) };
    }
    this.living.delete(stepId);
    this.#changed();
    return { status: 'removed', ...this.#recheck(stepId) };
  }

  #stands(stepId: string): boolean {
    const { standsAfterRemovals = 0 } = this.#behavior(stepId);
    return this.living.has(stepId) && this.count(`${stepId}.remove`) <= standsAfterRemovals;
  }

  /** Nothing that exists, or may still land, needs what is removed or must go before it. */
  #checkUnused(stepId: string): void {
    for (const [other, s] of this.steps) {
      if (other === stepId || this.#isAsApplied(other) || this.#isBeyond(other)) continue;
      const exists = this.living.has(other) || (this.#unclearUntilMs.get(other) ?? 0) > nowMs();
      if (exists && this.#ancestors.get(other)?.has(stepId))
        this.violations.push(`${stepId} removed while ${other} needs it`);
      if (exists && this.steps.get(stepId)?.removeAfter?.includes(other))
        this.violations.push(`${stepId} removed before ${s.id}`);
    }
  }

  /** Past the commit what stays does without what goes. */
  #isBeyond(other: string): boolean {
    return this.state === 'committing' && this.rules.target === 'desired' && !this.#goesPastCommit(other);
  }

  /** On the way back: what it needs is what the applied blueprint says. */
  #isAsApplied(stepId: string): boolean {
    const { applied = [] } = this.options;
    const goesBack = this.state === 'rolling-back' || this.state === 'running';
    return goesBack && applied.includes(stepId) && !this.#altered.has(stepId);
  }

  #recheck(stepId: string): { recheckAtMs?: number } {
    const untilMs = this.#unclearUntilMs.get(stepId);
    return untilMs !== undefined && untilMs > nowMs() ? { recheckAtMs: untilMs } : {};
  }

  async #goWrong(stepId: string, fault: Fault): Promise<never> {
    if (fault.effect) this.#make(stepId);
    if (fault.hangs) await Context.current().cancelled; // its answer never arrives
    if (fault.landsAfterMs !== undefined) {
      this.#landsAtMs.set(stepId, nowMs() + fault.landsAfterMs);
      this.#unclearUntilMs.set(stepId, nowMs() + LATENESS_MS);
    }
    if (this.options.calmFailures && errorInfo(fault.code)?.retryable !== true) await this.#calm();
    throw asFailure(fault);
  }

  async #calm(): Promise<void> {
    this.#failing += 1;
    for (let quietMs = 0; quietMs < 60; quietMs = this.#forwardInFlight > this.#failing ? 0 : quietMs + 10)
      await new Promise((resolve) => setTimeout(resolve, 10));
    // Those that fail at the same moment of the server's time come one after the other.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
    this.#failing -= 1;
  }

  #make(stepId: string): void {
    this.living.add(stepId);
    this.#changed();
  }

  #land(stepId: string): void {
    if ((this.#landsAtMs.get(stepId) ?? Infinity) > nowMs()) return;
    this.#landsAtMs.delete(stepId);
    if (this.steps.get(stepId)?.becomes === 'change') this.#altered.add(stepId);
    this.#make(stepId);
  }

  #behavior(stepId: string): Behavior {
    return this.options.behaviors?.[stepId] ?? {};
  }

  #outcome(stepId: string, verb: 'ensure' | 'remove' | 'restore', nth: number): 'ok' | Fault {
    const listed = this.#behavior(stepId)[verb] ?? [];
    const outcome = listed[Math.min(nth, listed.length) - 1] ?? 'ok';
    return this.#fixed.has(stepId) ? 'ok' : outcome;
  }

  #attempt(what: string): number {
    const nth = (this.#attempts.get(what) ?? 0) + 1;
    this.#attempts.set(what, nth);
    return nth;
  }

  #mayEnter(state: OperationState): boolean {
    const may = operationStateTransitions[this.state].includes(state);
    if (!may) this.violations.push(`operation may not go from ${this.state} to ${state}`);
    return may;
  }

  #setState(state: OperationState): void {
    this.state = state;
    this.#changed();
  }

  #setTenant(status: TenantStatus): void {
    if (status === this.tenantStatus) return;
    if (!tenantStatusTransitions[this.tenantStatus].includes(status))
      this.violations.push(`tenant may not go from ${this.tenantStatus} to ${status}`);
    this.tenantStatus = status;
  }

  async #enter(call: string): Promise<void> {
    this.calls.push(call);
    this.#changed();
    const gate = this.#gates.get(call);
    if (!gate) return;
    this.#gates.delete(call);
    gate.reach();
    await gate.opened;
  }

  #changed(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

/** Calls that wait at their entry. */
export class Gates {
  readonly #gates: ReadonlyMap<string, { reached: Promise<void>; open: () => void }>;

  constructor(world: World, calls: readonly string[]) {
    this.#gates = new Map(calls.map((call) => [call, world.gate(call)]));
  }

  async reached(call: string): Promise<void> {
    await this.#gates.get(call)?.reached;
  }

  open(call: string): void {
    this.#gates.get(call)?.open();
  }
}

/** The activities of a worker that serves these worlds, by operation id. */
export function activitiesOf(worlds: ReadonlyMap<string, World>): Activities {
  const of = (call: { operationId: string }): World => {
    const world = worlds.get(call.operationId);
    if (!world) throw ApplicationFailure.nonRetryable(`no world for operation ${call.operationId}`, 'INTERNAL');
    return world;
  };
  const verbs = builtInKinds.flatMap(({ name: kind }) => [
    [`${kind}.ensure`, (call: StepCall) => of(call).ensure(call)],
    [`${kind}.observe`, (call: ObserveCall) => of(call).observe(call)],
    [`${kind}.remove`, (call: StepCall) => of(call).remove(call)],
  ]);
  return {
    ...(Object.fromEntries(verbs) as Activities),
    claimOperation: (input) => of(input).claim(input),
    changeOperationState: (input) => of(input).changeState(input),
    closeOperation: (input) => of(input).close(input),
    confirmReady: (input) => of(input).confirmReady(input),
    listLeftovers: (input) => of(input).leftovers(input),
  };
}

function asFailure({ code, detail, retryAfterMs }: Fault): ApplicationFailure {
  return ApplicationFailure.create({
    type: code,
    message: `${code} happened`,
    nonRetryable: errorInfo(code)?.retryable !== true || retryAfterMs !== undefined,
    details: [
      { code, message: `${code} happened`, detail, retryAfterMs } satisfies Failure & Pick<Fault, 'retryAfterMs'>,
    ],
  });
}

/** The server's time, which skips: the activity's own clock does not. */
function nowMs(): number {
  return Context.current().info.currentAttemptScheduledTimestampMs;
}
