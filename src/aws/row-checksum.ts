import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { StepError } from '../contracts/step-error.ts';

/** A row of a table as DynamoDB has it: all its attributes, with its key. */
export type Row = Readonly<Record<string, AttributeValue>>;

/** A checksum over rows that are added one by one, in any order. */
export interface RowChecksum {
  add(row: Row): void;
  /** Of the rows that were added. */
  readonly count: number;
  /** 64 hexadecimal digits; more rows may be added afterwards. */
  digest(): string;
}

/**
 * Sums up the SHA-256 of each row, so that pages are added one after the other and none is kept. Two sets of rows have one checksum where
 * they hold the same values; the order of rows, of attributes and of a set's members does not count, nor how a number is written. A row
 * that is added twice counts twice.
 */
export function createRowChecksum(): RowChecksum {
  let count = 0;
  let sum = 0n;
  return {
    add(row) {
      sum = (sum + rowHash(row)) % MODULUS;
      count += 1;
    },
    get count() {
      return count;
    },
    digest: () => sum.toString(16).padStart(64, '0'),
  };
}

const MODULUS = 1n << 256n;

function rowHash(row: Row): bigint {
  const text = JSON.stringify(canonicalMap(row));
  return BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
}

/** What `JSON.stringify` writes in one way only. */
type Canonical = readonly (string | boolean | Canonical)[];

/** The type stands before each value: the text "1" and the number 1 are two. */
function canonical(value: AttributeValue): Canonical {
  if (value.S !== undefined) return ['S', value.S];
  if (value.N !== undefined) return ['N', canonicalNumber(value.N)];
  if (value.B !== undefined) return ['B', base64(value.B)];
  if (value.BOOL !== undefined) return ['BOOL', value.BOOL];
  if (value.NULL !== undefined) return ['NULL'];
  if (value.L !== undefined) return ['L', value.L.map(canonical)];
  if (value.M !== undefined) return ['M', canonicalMap(value.M)];
  if (value.SS !== undefined) return ['SS', [...value.SS].sort()];
  if (value.NS !== undefined) return ['NS', value.NS.map(canonicalNumber).sort()];
  if (value.BS !== undefined) return ['BS', value.BS.map(base64).sort()];
  throw new StepError('AWS_ANSWER_UNREADABLE', 'a row holds a value of a type that this release does not know');
}

function canonicalMap(attributes: Row): Canonical {
  return Object.keys(attributes)
    .sort()
    .flatMap((name) => {
      const value = attributes[name];
      return value === undefined ? [] : [[name, canonical(value)]];
    });
}

/** DynamoDB keeps no zeros around a number, and answers with or without an exponent: `1.50`, `15e-1` and `1.5` are one. */
function canonicalNumber(text: string): string {
  const [, minus = '', whole = '', fraction = '', exponent = '0'] =
    /^([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(text.trim()) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return /\d/.test(text) ? '0' : text;
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${minus === '-' ? '-' : ''}${significant}e${power}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
