import { ExpressionError, InputRefusedError } from '../errors.ts';
import { copyRecord } from '../input-fields.ts';
import type { Token, TokenReader } from './tokens.ts';

/** Placeholders that begin so are the router's own. */
const RESERVED = 'tenantry';

/** The router's own name of an attribute. */
export function ownName(suffix: string): string {
  return `#${RESERVED}${suffix}`;
}

/**
 * What `#name` and `:value` of a call's expressions stand for. A copy: what the caller changes after the check, or answers differently when
 * it is read again, is not sent.
 */
export class Placeholders {
  readonly #names: Map<string, string>;
  readonly #values: Map<string, unknown>;

  /** @throws InputRefusedError */
  constructor(prefix: string, names: unknown, values: unknown) {
    this.#names = namesOf(`${prefix}ExpressionAttributeNames`, names);
    this.#values = new Map(entriesOf(`${prefix}ExpressionAttributeValues`, values, ':'));
  }

  /** The attribute that a name in an expression means. @throws ExpressionError */
  attribute({ kind, text }: Token, reader: TokenReader): string {
    if (kind !== 'alias') return text;
    const found = this.#names.get(text);
    if (found === undefined) throw reader.error(`${text} is not in ExpressionAttributeNames`);
    return found;
  }

  /** @throws ExpressionError */
  value(text: string, field: string): unknown {
    if (!this.#values.has(text)) throw new ExpressionError(field, `${text} is not in ExpressionAttributeValues`);
    return this.#values.get(text);
  }

  /** The router's own. @returns the condition `#name = :value` */
  addCondition(suffix: string, attribute: string, value: string): string {
    const placeholder = `:${RESERVED}${suffix}`;
    this.#values.set(placeholder, value);
    return `${this.addName(suffix, attribute)} = ${placeholder}`;
  }

  /** The router's own. @returns `#name` */
  addName(suffix: string, attribute: string): string {
    const name = ownName(suffix);
    this.#names.set(name, attribute);
    return name;
  }

  /** As the SDK takes them; none rather than empty. */
  fields(): { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: Record<string, unknown> } {
    return {
      ...(this.#names.size > 0 && { ExpressionAttributeNames: Object.fromEntries(this.#names) }),
      ...(this.#values.size > 0 && { ExpressionAttributeValues: Object.fromEntries(this.#values) }),
    };
  }
}

function namesOf(field: string, given: unknown): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, name] of entriesOf(field, given, '#')) {
    if (typeof name !== 'string') throw new InputRefusedError(`${field}.${key}`, 'an attribute name is a string');
    found.set(key, name);
  }
  return found;
}

function entriesOf(field: string, given: unknown, sign: '#' | ':'): [string, unknown][] {
  if (given === undefined) return [];
  const entries = Object.entries(copyRecord(field, given));
  for (const [key] of entries) {
    if (!key.startsWith(sign)) throw new InputRefusedError(`${field}.${key}`, `begins with ${sign}`);
    if (key.slice(1).toLowerCase().startsWith(RESERVED))
      throw new InputRefusedError(`${field}.${key}`, `${sign}${RESERVED}... is the router's own`);
  }
  return entries;
}
