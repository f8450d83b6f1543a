import { ExpressionError, InputRefusedError } from '../errors.ts';
import { copyRecord, copyWhole } from '../input-fields.ts';

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
  readonly #names: Record<string, string>;
  readonly #values: Record<string, unknown>;

  /** @throws InputRefusedError */
  constructor(prefix: string, names: unknown, values: unknown) {
    this.#names = namesOf(`${prefix}ExpressionAttributeNames`, names);
    this.#values = valuesOf(`${prefix}ExpressionAttributeValues`, values);
  }

  /** That all those of an expression are given. @throws ExpressionError */
  assertGiven(field: string, aliases: readonly string[], values: readonly string[]): void {
    for (const alias of aliases) this.attribute(alias, field);
    for (const value of values) this.value(value, field);
  }

  /** The attribute that a name in an expression means, or an alias. @throws ExpressionError */
  attribute(name: string, field: string): string {
    // No name that stands in an expression as it is begins so.
    if (!name.startsWith('#')) return name;
    const found = Object.hasOwn(this.#names, name) ? this.#names[name] : undefined;
    if (found === undefined) throw new ExpressionError(field, `${name} is not in ExpressionAttributeNames`);
    return found;
  }

  /** @throws ExpressionError */
  value(text: string, field: string): unknown {
    if (!Object.hasOwn(this.#values, text))
      throw new ExpressionError(field, `${text} is not in ExpressionAttributeValues`);
    return this.#values[text];
  }

  /** The router's own. @returns the condition `#name = :value` */
  addCondition(suffix: string, attribute: string, value: string): string {
    const placeholder = `:${RESERVED}${suffix}`;
    this.#values[placeholder] = value;
    return `${this.addName(suffix, attribute)} = ${placeholder}`;
  }

  /** The router's own. @returns `#name` */
  addName(suffix: string, attribute: string): string {
    const name = ownName(suffix);
    this.#names[name] = attribute;
    return name;
  }

  /** As the SDK takes them; none rather than empty. */
  fields(): { ExpressionAttributeNames?: Record<string, string>; ExpressionAttributeValues?: Record<string, unknown> } {
    const fields: ReturnType<Placeholders['fields']> = {};
    if (!isEmpty(this.#names)) fields.ExpressionAttributeNames = this.#names;
    if (!isEmpty(this.#values)) fields.ExpressionAttributeValues = this.#values;
    return fields;
  }
}

function namesOf(field: string, given: unknown): Record<string, string> {
  const names: Record<string, string> = {};
  if (given === undefined) return names;
  const copy = copyRecord(field, given);
  for (const key of Object.keys(copy)) {
    assertPlaceholder(field, key, '#');
    const name = copy[key];
    if (typeof name !== 'string') throw new InputRefusedError(`${field}.${key}`, 'an attribute name is a string');
    names[key] = name;
  }
  return names;
}

function valuesOf(field: string, given: unknown): Record<string, unknown> {
  if (given === undefined) return {};
  const values = copyWhole(field, given);
  for (const key of Object.keys(values)) assertPlaceholder(field, key, ':');
  return values;
}

function assertPlaceholder(field: string, key: string, sign: '#' | ':'): void {
  if (!key.startsWith(sign)) throw new InputRefusedError(`${field}.${key}`, `begins with ${sign}`);
  if (key.slice(1).toLowerCase().startsWith(RESERVED))
    throw new InputRefusedError(`${field}.${key}`, `${sign}${RESERVED}... is the router's own`);
}

function isEmpty(record: Readonly<Record<string, unknown>>): boolean {
  for (const key in record) if (Object.hasOwn(record, key)) return false;
  return true;
}
