import { readPath, readValue } from './paths.ts';
import type { Placeholders } from './placeholders.ts';
import type { TokenReader } from './tokens.ts';

/** Functions that are conditions, and how many operands each takes; `size` is an operand. */
const functions: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
};
const comparators = ['=', '<>', '<', '<=', '>', '>='];

export interface PrintedCondition {
  readonly text: string;
  /** Its outermost operator is OR: it needs parentheses before it can be joined by AND. */
  readonly isAlternative: boolean;
}

/** Both, of which nothing in the second undoes the first. DynamoDB refuses parentheses that change nothing. */
export function bothConditions(own: string, { text, isAlternative }: PrintedCondition): string {
  return `${own} AND ${isAlternative ? `(${text})` : text}`;
}

/**
 * A FilterExpression or ConditionExpression, read by DynamoDB's grammar and printed from what was understood: what is sent
 * means what was checked, and can be joined with a condition of ours that nothing in it undoes.
 * @throws ExpressionError
 */
export function printCondition(reader: TokenReader, placeholders: Placeholders): PrintedCondition {
  const printed = printAlternatives(reader, placeholders);
  reader.expectEnd();
  return printed;
}

function printAlternatives(reader: TokenReader, placeholders: Placeholders): PrintedCondition {
  const parts = [printConjunction(reader, placeholders)];
  while (reader.takeKeyword('OR')) parts.push(printConjunction(reader, placeholders));
  return { text: parts.join(' OR '), isAlternative: parts.length > 1 };
}

function printConjunction(reader: TokenReader, placeholders: Placeholders): string {
  const parts = [printNegation(reader, placeholders)];
  while (reader.takeKeyword('AND')) parts.push(printNegation(reader, placeholders));
  return parts.join(' AND ');
}

function printNegation(reader: TokenReader, placeholders: Placeholders): string {
  if (!reader.takeKeyword('NOT')) return printPrimary(reader, placeholders);
  return reader.nested(() => `NOT ${printNegation(reader, placeholders)}`);
}

function printPrimary(reader: TokenReader, placeholders: Placeholders): string {
  if (reader.takeSymbol('(')) {
    const { text } = reader.nested(() => printAlternatives(reader, placeholders));
    reader.expectSymbol(')');
    return `(${text})`;
  }
  const { kind, text: name } = reader.peek();
  const operands = kind === 'name' && reader.isSymbol('(', 1) && Object.hasOwn(functions, name) ? functions[name] : 0;
  return operands ? printFunction(reader, placeholders, operands) : printComparison(reader, placeholders);
}

function printFunction(reader: TokenReader, placeholders: Placeholders, operands: number): string {
  const { text: name } = reader.next();
  reader.expectSymbol('(');
  const printed = reader.list(() => printOperand(reader, placeholders));
  reader.expectSymbol(')');
  if (printed.length !== operands) throw reader.error(`${name} takes ${operands} operand(s)`);
  return `${name}(${printed.join(', ')})`;
}

function printComparison(reader: TokenReader, placeholders: Placeholders): string {
  const operand = () => printOperand(reader, placeholders);
  const left = operand();
  if (reader.takeKeyword('BETWEEN')) return `${left} BETWEEN ${printRange(reader, operand)}`;
  if (reader.takeKeyword('IN')) {
    reader.expectSymbol('(');
    const choices = reader.list(operand);
    reader.expectSymbol(')');
    return `${left} IN (${choices.join(', ')})`;
  }
  return `${left} ${readComparator(reader)} ${operand()}`;
}

/** What follows BETWEEN. */
export function printRange(reader: TokenReader, operand: () => string): string {
  const low = operand();
  reader.expectKeyword('AND');
  return `${low} AND ${operand()}`;
}

export function readComparator(reader: TokenReader): string {
  const { kind, text } = reader.peek();
  if (kind !== 'symbol' || !comparators.includes(text)) throw reader.unexpected();
  return reader.next().text;
}

function printOperand(reader: TokenReader, placeholders: Placeholders): string {
  const { kind, text } = reader.peek();
  if (kind === 'value') return readValue(reader, placeholders);
  if (kind !== 'name' || text !== 'size' || !reader.isSymbol('(', 1)) return readPath(reader, placeholders).text;
  reader.next();
  reader.expectSymbol('(');
  const path = readPath(reader, placeholders).text;
  reader.expectSymbol(')');
  return `size(${path})`;
}
