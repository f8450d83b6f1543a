import { printRange, readComparator } from './conditions.ts';
import { meaningOf } from './meaning.ts';
import { readPath, readValue } from './paths.ts';
import type { TokenReader } from './tokens.ts';

/** One part of a KeyConditionExpression. */
export interface KeyCondition {
  /** An attribute's name, or the alias of one. */
  readonly name: string;
  /** The placeholder that the attribute must equal; undefined for every other comparison. */
  readonly equals: string | undefined;
  /** To be sent. */
  readonly text: string;
}

/** The parts of a KeyConditionExpression, which AND alone can join. @throws ExpressionError */
export const readKeyConditions = meaningOf((reader): readonly KeyCondition[] => {
  const found = readJoined(reader);
  reader.expectEnd();
  return found;
});

function readJoined(reader: TokenReader): KeyCondition[] {
  const found = readPart(reader);
  while (reader.takeKeyword('AND')) found.push(...readPart(reader));
  return found;
}

function readPart(reader: TokenReader): KeyCondition[] {
  if (!reader.takeSymbol('(')) return [readComparison(reader)];
  const inner = reader.nested(() => readJoined(reader));
  reader.expectSymbol(')');
  return inner;
}

function readComparison(reader: TokenReader): KeyCondition {
  if (reader.peek().text === 'begins_with' && reader.isSymbol('(', 1)) return readPrefix(reader);
  const { root: name, text } = readAttribute(reader);
  if (reader.takeKeyword('BETWEEN')) {
    const range = printRange(reader, () => readValue(reader));
    return { name, equals: undefined, text: `${text} BETWEEN ${range}` };
  }
  const comparator = readComparator(reader);
  const value = readValue(reader);
  return { name, equals: comparator === '=' ? value : undefined, text: `${text} ${comparator} ${value}` };
}

function readPrefix(reader: TokenReader): KeyCondition {
  reader.next();
  reader.expectSymbol('(');
  const { root: name, text } = readAttribute(reader);
  reader.expectSymbol(',');
  const value = readValue(reader);
  reader.expectSymbol(')');
  return { name, equals: undefined, text: `begins_with(${text}, ${value})` };
}

function readAttribute(reader: TokenReader) {
  const path = readPath(reader);
  if (!path.isWhole) throw reader.error(`${path.text} is no key: a key is an attribute, not something in one`);
  return path;
}
