import { errorCodeOf, isThrottlingCode } from './error-code.ts';
import type { Answer, Call, Reply } from './request.ts';
import type { Caller } from './subject.ts';
import type { FaultType } from './faults/setting.ts';

/** What a call names and who made it, whether or not it has an answer yet. */
export interface PendingCall {
  /** When it came. */
  readonly at: string;
  readonly service: string;
  readonly action: string;
  readonly kind: 'read' | 'change';
  readonly account: string;
  readonly caller: Caller;
  /** The main name or ARN that the call is about. */
  readonly resource?: string;
  /** The idempotency token that it carries. */
  readonly token?: string;
}

/** What a caller saw: `parked` when it gave up while its call was held, `late` when it was left without an answer. */
export type CallOutcome = 'ok' | 'error' | 'throttled' | 'cut' | 'late' | 'stale' | 'parked';

/** The fault that befell a call. */
export interface CallFault {
  /** A rule's id, or `turbulence`. */
  readonly ruleId: string;
  readonly type: FaultType;
}

/** What the call did in truth, where its caller saw something else. */
export interface CallEffect {
  /** When the effect was done. */
  readonly at: string;
  readonly status: number;
  readonly code?: string;
}

/** One AWS call that passed through the gateway. */
export interface CallRecord extends PendingCall {
  /** Rises by one in the order in which callers got their answers. */
  readonly seq: number;
  readonly outcome: CallOutcome;
  /** HTTP status that the caller saw; 0 when it got no answer. */
  readonly status: number;
  /** AWS's code of an error that the caller saw. */
  readonly code?: string;
  readonly durationMs: number;
  readonly fault?: CallFault;
  /** Of a call that was struck: absent when it had no effect, or has none yet (`late`). */
  readonly effect?: CallEffect;
}

/** How a call went. */
export interface Passage {
  readonly reply: Reply;
  readonly fault?: CallFault | undefined;
  /** Given where the reply does not tell. */
  readonly outcome?: CallOutcome | undefined;
  /** The effect's own answer, where it is not the reply; resolves when a late effect is done. */
  readonly effect?: Answer | Promise<Answer> | undefined;
}

const keptCalls = 20_000;
/** Old ones are dropped in batches: to move the whole list at every call would be dear. */
const trimmedAtOnce = 1000;

/** Log of the last 20,000 calls, without their contents. */
export class CallLog {
  readonly #records: CallRecord[] = [];
  #lastSeq = 0;

  /** Those with a higher `seq` than the one given, newest last. */
  records(afterSeq = 0): readonly CallRecord[] {
    const first = this.#records[0]?.seq ?? 1;
    const start = Math.max(afterSeq + 1 - first, this.#records.length - keptCalls, 0);
    return this.#records.slice(start);
  }

  /** Lets a call pass and writes down how it went. */
  async write(call: Call, pass: () => Promise<Passage>): Promise<Reply> {
    const passage = await pass();
    const seq = ++this.#lastSeq;
    this.#push({
      seq,
      ...pendingCall(call),
      ...seenBy(passage),
      durationMs: Date.now() - call.receivedAtMs,
      ...(passage.fault && { fault: passage.fault }),
    });
    if (passage.effect instanceof Promise) {
      void passage.effect.then((answer) => this.#amend(seq, answer));
    } else if (passage.effect) {
      this.#amend(seq, passage.effect);
    }
    return passage.reply;
  }

  #push(record: CallRecord): void {
    this.#records.push(record);
    if (this.#records.length >= keptCalls + trimmedAtOnce) this.#records.splice(0, trimmedAtOnce);
  }

  #amend(seq: number, answer: Answer): void {
    const index = seq - (this.#records[0]?.seq ?? 1);
    const record = this.#records[index];
    if (!record) return;
    const code = errorCodeOf(answer);
    const effect = { at: new Date().toISOString(), status: answer.status, ...(code !== undefined && { code }) };
    this.#records[index] = { ...record, effect };
  }
}

/** What is known of a call before it has an answer. */
export function pendingCall(call: Call): PendingCall {
  const { service, action, kind, scope, caller, resource, token } = call;
  return {
    at: new Date(call.receivedAtMs).toISOString(),
    service,
    action,
    kind,
    account: scope.accountId,
    caller,
    ...(resource !== undefined && { resource }),
    ...(token !== undefined && { token }),
  };
}

function seenBy({ reply, outcome }: Passage): Pick<CallRecord, 'outcome' | 'status' | 'code'> {
  if ('silence' in reply) return { outcome: outcome ?? (reply.silence === 'cut' ? 'cut' : 'late'), status: 0 };
  const code = errorCodeOf(reply);
  return {
    outcome: outcome ?? (isThrottlingCode(code) ? 'throttled' : reply.status < 300 ? 'ok' : 'error'),
    status: reply.status,
    ...(code !== undefined && { code }),
  };
}
