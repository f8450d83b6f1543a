/** One message of PostgreSQL's protocol 3.0, as it came. Source: PostgreSQL, "Frontend/Backend Protocol", message formats. */
export interface WireMessage {
  /** Its letter (`Q`, `P`, `Z`, ...); empty for the first one of a client, which has none. */
  readonly type: string;
  /** Without letter and length. */
  readonly body: Buffer;
  readonly raw: Buffer;
}

/** Cuts a stream into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #untyped: boolean;

  /** @param startsUntyped a client's stream: its first messages have no letter, until {@link expectTyped}. */
  constructor(startsUntyped: boolean) {
    this.#untyped = startsUntyped;
  }

  /** From here on messages carry their letter. */
  expectTyped(): void {
    this.#untyped = false;
  }

  /** The next whole message of what was {@link push}ed; undefined when it has not come whole yet. */
  next(): WireMessage | undefined {
    const head = this.#untyped ? 0 : 1;
    if (this.#rest.length < head + 4) return undefined;
    const end = head + this.#rest.readInt32BE(head);
    if (this.#rest.length < end) return undefined;
    const raw = this.#rest.subarray(0, end);
    this.#rest = this.#rest.subarray(end);
    return { type: raw.toString('latin1', 0, head), body: raw.subarray(head + 4), raw };
  }

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
  }
}

const protocol3 = 196_608;

/** `user`, `database`, `application_name` and what else a client says at its start; undefined for a request of TLS or to cancel. */
export function startupParameters({ body }: WireMessage): Readonly<Record<string, string>> | undefined {
  if (body.readInt32BE(0) !== protocol3) return undefined;
  const words = body.toString('utf8', 4).split('\0');
  const parameters: Record<string, string> = {};
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2) parameters[words[i] ?? ''] = words[i + 1] ?? '';
  return parameters;
}

export interface SentStatement {
  /** SQL on one line. */
  readonly text: string;
  /** Bound values as text; null for NULL. */
  readonly values: readonly (string | null)[];
}

/** The statement in the messages that a client sends up to a Sync or in one simple query; its text is empty without one. */
export function statementIn(messages: readonly WireMessage[]): SentStatement {
  let text = '';
  let values: readonly (string | null)[] = [];
  for (const { type, body } of messages) {
    if (type === 'Q') text = untilZero(body, 0).text;
    if (type === 'P') text = untilZero(body, untilZero(body, 0).end).text;
    if (type === 'B') values = boundValues(body);
  }
  return { text: text.replace(/\s+/g, ' ').trim(), values };
}

/** An error as the server would send it. */
export function errorResponse(severity: 'ERROR' | 'FATAL', code: string, message: string): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${message}`].map((field) => `${field}\0`).join('');
  return typed('E', Buffer.from(`${fields}\0`, 'utf8'));
}

/** @param status `I` idle, `T` in a transaction, `E` in a failed one. */
export function readyForQuery(status: string): Buffer {
  return typed('Z', Buffer.from(status, 'latin1'));
}

function typed(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function untilZero(body: Buffer, from: number): { text: string; end: number } {
  const zero = body.indexOf(0, from);
  const to = zero < 0 ? body.length : zero;
  return { text: body.toString('utf8', from, to), end: to + 1 };
}

function boundValues(body: Buffer): (string | null)[] {
  let at = untilZero(body, untilZero(body, 0).end).end;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  const values: (string | null)[] = [];
  for (let i = 0; i < count; i++) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}
