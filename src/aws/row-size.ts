import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Row } from './row-checksum.ts';

/** What DynamoDB counts a row as, in bytes, or a little more. */
export function bytesOfRow(row: Row): number {
  return bytesOfMap(row);
}

/** Of a list or a map, and of each of its members. */
const [OF_NESTED, OF_MEMBER] = [3, 1];

function bytesOfMap(map: Readonly<Record<string, AttributeValue>>): number {
  return sumOf(Object.entries(map), ([name, value]) => Buffer.byteLength(name) + bytesOf(value));
}

function bytesOf({ B, BS, L, M, N, NS, S, SS }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  // Digits take half a byte each, and their sign and point one or two.
  if (N !== undefined) return N.length + 1;
  if (B !== undefined) return B.byteLength;
  if (SS) return sumOf(SS, (text) => Buffer.byteLength(text));
  if (NS) return sumOf(NS, (text) => text.length + 1);
  if (BS) return sumOf(BS, (bytes) => bytes.byteLength);
  if (L) return OF_NESTED + sumOf(L, (member) => OF_MEMBER + bytesOf(member));
  if (M) return OF_NESTED + bytesOfMap(M) + OF_MEMBER * Object.keys(M).length;
  return 1;
}

function sumOf<T>(members: readonly T[], of: (member: T) => number): number {
  return members.reduce((sum, member) => sum + of(member), 0);
}
