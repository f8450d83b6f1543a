import { scopeKey, type Answer, type Call } from '../request.ts';
import { answerWithout } from './absence.ts';
import { changedBy, speaksOf, type Changed } from './changed.ts';
import { matches, requestText } from './match.ts';
import { joinAnswers, looksAtServices, partOf, splitRead } from './service-batch.ts';
import type { CallMatch } from './setting.ts';

/** What makes reads stale: a rule, or turbulence. */
export interface Staleness {
  /** A rule's id, or `turbulence`. */
  readonly id: string;
  readonly forMs: number;
  /** Only these reads, whatever was changed; absent: reads that speak of the thing changed. */
  readonly reads?: CallMatch | undefined;
  /** Whether it still makes anything stale. */
  isArmed(): boolean;
  /** Counts a read that would be answered otherwise; whether it shall be. */
  see(): boolean;
  hit(): void;
}

export interface StaleOutcome {
  readonly answer: Answer;
  /** Who made the answer older than the truth. */
  readonly staleness?: Staleness | undefined;
}

/** The time after a change in which it is not seen yet. */
interface Window {
  readonly staleness: Staleness;
  /** Answers to reads from right before the change. */
  readonly before: ReadonlyMap<string, Answer>;
  changed: Changed;
  endsAtMs: number;
}

/** A state of the past that a reader is shown. */
interface View {
  readonly staleness: Staleness;
  readonly before: ReadonlyMap<string, Answer>;
  /** What has happened since, the change of the window first. */
  readonly changes: readonly Changed[];
}

/** Of one account, region and service. */
interface Past {
  /** Distinct reads, the latest asked last. */
  readonly reads: Map<string, Call>;
  /** Oldest first. */
  windows: Window[];
}

const rememberedReads = 100;
/** Neither is a look at what exists: the one tells how a change goes, the other's answer holds a secret. */
const neverAskedAgain = new Set(['GetChange', 'GetSecretValue']);

/**
 * A replica that lags behind: right before a change that is to be seen late, the reads of late are asked once more, and
 * until its time is over they are answered as then. A read that was not asked before gets an answer in which what the
 * change made is missing. Where several changes are not seen yet, the first of them counts, so that no reader sees
 * things come in another order than they were made.
 */
export class StaleReads {
  readonly #ask: (call: Call) => Promise<Answer>;
  readonly #pasts = new Map<string, Past>();

  /** `ask` carries out a read into which no fault is injected. */
  constructor(ask: (call: Call) => Promise<Answer>) {
    this.#ask = ask;
  }

  /** Carries out a change that these make unseen for a while. */
  async change(call: Call, all: readonly Staleness[], effect: () => Promise<Answer>): Promise<Answer> {
    const stalenesses = all.filter(({ reads }) => isOwnChange(call, reads));
    if (stalenesses.length === 0) return effect();
    const past = this.#pastOf(call);
    const before = await this.#askAgain(past, stalenesses);
    const windows = stalenesses.map((staleness): Window => ({
      staleness,
      before,
      changed: changedBy(call),
      endsAtMs: Infinity,
    }));
    past.windows = [...openWindows(past), ...windows];
    const answer = await effect();
    if (answer.status >= 300) past.windows = past.windows.filter((window) => !windows.includes(window));
    for (const window of windows) {
      window.changed = changedBy(call, answer);
      window.endsAtMs = Date.now() + window.staleness.forMs;
    }
    return answer;
  }

  /** What a read is answered: the truth, or what it was while a change that it would show is not seen yet. */
  look(call: Call, fresh: Answer): StaleOutcome {
    const past = this.#pastOf(call);
    const open = openWindows(past);
    for (const [i, { staleness, before }] of open.entries()) {
      // What is not seen of this change is not seen of those after it.
      const changes = open.slice(i).map(({ changed }) => changed);
      const older = olderAnswer({ staleness, before, changes }, call, fresh);
      if (!older || !staleness.see()) continue;
      staleness.hit();
      return { answer: older, staleness };
    }
    this.#remember(past, call);
    return { answer: fresh };
  }

  #pastOf(call: Call): Past {
    const key = `${scopeKey(call.scope)}/${call.service}`;
    const past = this.#pasts.get(key) ?? { reads: new Map<string, Call>(), windows: [] };
    this.#pasts.set(key, past);
    return past;
  }

  #remember({ reads }: Past, call: Call): void {
    if (neverAskedAgain.has(call.action)) return;
    for (const part of splitRead(call)) {
      const key = readKey(part);
      reads.delete(key);
      reads.set(key, part);
    }
    for (const key of reads.keys()) {
      if (reads.size <= rememberedReads) break;
      reads.delete(key);
    }
  }

  /** Of reads that only some are stale to, the others' are not asked. */
  async #askAgain({ reads }: Past, stalenesses: readonly Staleness[]): Promise<Map<string, Answer>> {
    const asked = [...reads]
      .filter(([, call]) =>
        stalenesses.some(({ reads: of }) => !of || of.action === undefined || of.action === call.action),
      )
      .map(async ([key, call]) => {
        const answer = await this.#ask(call);
        return [key, looksAtServices(call) ? partOf(answer, call) : answer] as const;
      });
    return new Map(await Promise.all(asked));
  }
}

/** Reads of one operation lag behind its own changes: those of hundreds of others would cost as many looks at the past. */
function isOwnChange({ caller }: Call, reads: CallMatch | undefined): boolean {
  return reads?.operationId === undefined || reads.operationId === caller.operationId;
}

function openWindows({ windows }: Past): Window[] {
  return windows.filter(({ endsAtMs, staleness }) => endsAtMs > Date.now() && staleness.isArmed());
}

/** What this read was answered in the past, when that says something else about what has changed. */
function olderAnswer(view: View, call: Call, fresh: Answer): Answer | undefined {
  if (!looksAtServices(call)) return olderPart(view, call, fresh);
  const parts = splitRead(call).map((part) => {
    const freshPart = partOf(fresh, part);
    return { fresh: freshPart, older: olderPart(view, part, freshPart) };
  });
  if (parts.every(({ older }) => older === undefined)) return undefined;
  return joinAnswers(parts.map((part) => part.older ?? part.fresh));
}

function olderPart({ staleness, before, changes }: View, call: Call, fresh: Answer): Answer | undefined {
  if (isNeverStale(call) || (staleness.reads && !matches(staleness.reads, call))) return undefined;
  const created = changes.flatMap((changed) => changed.created);
  const older = before.get(readKey(call)) ?? answerWithout(call, fresh, created);
  if (!older || contentOf(older) === contentOf(fresh)) return undefined;
  if (staleness.reads) return older;
  const ids = changes.flatMap((changed) => changed.ids);
  return [requestText(call), textOf(fresh), textOf(older)].some((text) => speaksOf(text, ids)) ? older : undefined;
}

/** A look at how a change goes, and a read of DynamoDB that asks for what was written last. */
function isNeverStale({ action, body, service }: Call): boolean {
  return (
    action === 'GetChange' || (service === 'dynamodb' && /"ConsistentRead"\s*:\s*true/.test(body.toString('utf8')))
  );
}

function readKey({ action, path, body }: Call): string {
  return `${action} ${path} ${body.toString('utf8')}`;
}

function textOf(answer: Answer): string {
  return answer.body.toString('utf8');
}

/** Without what differs from answer to answer. */
function contentOf(answer: Answer): string {
  return `${answer.status} ${textOf(answer).replace(/<RequestI[dD]>[^<]*<\/RequestI[dD]>/, '')}`;
}
