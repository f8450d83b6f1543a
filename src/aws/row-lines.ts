import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Row } from './row-checksum.ts';

/** A row as a line of DynamoDB's JSON: what `aws dynamodb` prints, and AWS imports from S3. */
export function toLine(row: Row): string {
  return `${JSON.stringify({ Item: row }, binaryAsText)}\n`;
}

/** @throws SyntaxError, RangeError when the line is no such row */
export function fromLine(line: string): Row {
  const parsed: unknown = JSON.parse(line);
  return rowOf(objectOf(parsed)['Item']);
}

/** Binary is bytes in the SDK and base64 in the text. A Buffer has become what `toJSON` makes of it by the time it comes here. */
function binaryAsText(this: object, key: string, value: unknown): unknown {
  const given: unknown = Reflect.get(this, key);
  return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value;
}

function rowOf(value: unknown): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(objectOf(value)).map(([name, inner]) => [name, valueOf(inner)]));
}

function valueOf(value: unknown): AttributeValue {
  const [entry, ...more] = Object.entries(objectOf(value));
  const read = entry && more.length === 0 ? readers[entry[0]]?.(entry[1]) : undefined;
  if (!read) throw new RangeError(`${JSON.stringify(value)} is no value of DynamoDB`);
  return read;
}

const readers: Readonly<Record<string, (value: unknown) => AttributeValue>> = {
  S: (value) => ({ S: textOf(value) }),
  N: (value) => ({ N: textOf(value) }),
  B: (value) => ({ B: bytesOf(value) }),
  BOOL: (value) => ({ BOOL: value === true }),
  NULL: () => ({ NULL: true }),
  L: (value) => ({ L: listOf(value).map(valueOf) }),
  M: (value) => ({ M: rowOf(value) }),
  SS: (value) => ({ SS: listOf(value).map(textOf) }),
  NS: (value) => ({ NS: listOf(value).map(textOf) }),
  BS: (value) => ({ BS: listOf(value).map(bytesOf) }),
};

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(textOf(value), 'base64');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new RangeError(`${JSON.stringify(value)} is no text`);
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new RangeError(`${JSON.stringify(value)} is no list`);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new RangeError(`${JSON.stringify(value)} is no object`);
}
