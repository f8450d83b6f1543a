import { printRange, readComparator } from './conditions.ts';
import { readPath, readValue } from './paths.ts';
import type { Placeholders } from './placeholders.ts';
import type { TokenReader } from './tokens.ts';

/** One part of a KeyConditionExpression. */
export interface KeyCondition {
  readonly attribute: string;
  /** The placeholder that the attribute must equal; undefined for every other comparison. */
  readonly equals: string | undefined;
  /** To be sent. */
  readonly text: string;
}

/** The parts of a KeyConditionExpression, which AND alone can join. @throws ExpressionError */
export function readKeyConditions(reader: TokenReader, placeholders: Placeholders): KeyCondition[] {
  const found = readJoined(reader, placeholders);
  reader.expectEnd();
  return found;
}

function readJoined(reader: TokenReader, placeholders: Placeholders): KeyCondition[] {
  const found = readPart(reader, placeholders);
  while (reader.takeKeyword('AND')) found.push(...readPart(reader, placeholders));
  return found;
}

function readPart(reader: TokenReader, placeholders: Placeholders): KeyCondition[] {
  if (!reader.takeSymbol('(')) return [readComparison(reader, placeholders)];
  const inner = reader.nested(() => readJoined(reader, placeholders));
  reader.expectSymbol(')');
  return inner;
}

function readComparison(reader: TokenReader, placeholders: Placeholders): KeyCondition {
  if (reader.peek().text === 'begins_with' && reader.isSymbol('(', 1)) return readPrefix(reader, placeholders);
  const { attribute, text } = readAttribute(reader, placeholders);
  if (reader.takeKeyword('BETWEEN')) {
    const range = printRange(reader, () => readValue(reader, placeholders));
    return { attribute, equals: undefined, text: `${text} BETWEEN ${range}` };
  }
  const comparator = readComparator(reader);
  const value = readValue(reader, placeholders);
  return { attribute, equals: comparator === '=' ? value : undefined, text: `${text} ${comparator} ${value}` };
}

function readPrefix(reader: TokenReader, placeholders: Placeholders): KeyCondition {
  reader.next();
  reader.expectSymbol('(');
  const { attribute, text } = readAttribute(reader, placeholders);
  reader.expectSymbol(',');
  const value = readValue(reader, placeholders);
  reader.expectSymbol(')');
  return { attribute, equals: undefined, text: `begins_with(${text}, ${value})` };
}

function readAttribute(reader: TokenReader, placeholders: Placeholders) {
  const path = readPath(reader, placeholders);
  if (!path.isWhole) throw reader.error(`${path.text} is no key: a key is an attribute, not something in one`);
  return path;
}
