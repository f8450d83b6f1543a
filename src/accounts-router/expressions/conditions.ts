import { readPath, readValue } from './paths.ts';
import { meaningOf } from './meaning.ts';
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
export const printCondition = meaningOf((reader): PrintedCondition => {
  const printed = printAlternatives(reader);
  reader.expectEnd();
  return printed;
});

function printAlternatives(reader: TokenReader): PrintedCondition {
  const parts = [printConjunction(reader)];
  while (reader.takeKeyword('OR')) parts.push(printConjunction(reader));
  return { text: parts.join(' OR '), isAlternative: parts.length > 1 };
}

function printConjunction(reader: TokenReader): string {
  const parts = [printNegation(reader)];
  while (reader.takeKeyword('AND')) parts.push(printNegation(reader));
  return parts.join(' AND ');
}

function printNegation(reader: TokenReader): string {
  if (!reader.takeKeyword('NOT')) return printPrimary(reader);
  return reader.nested(() => `NOT ${printNegation(reader)}`);
}

function printPrimary(reader: TokenReader): string {
  if (reader.takeSymbol('(')) {
    const { text } = reader.nested(() => printAlternatives(reader));
    reader.expectSymbol(')');
    return `(${text})`;
  }
  const { kind, text: name } = reader.peek();
  const operands = kind === 'name' && reader.isSymbol('(', 1) && Object.hasOwn(functions, name) ? functions[name] : 0;
  return operands ? printFunction(reader, operands) : printComparison(reader);
}

function printFunction(reader: TokenReader, operands: number): string {
  const { text: name } = reader.next();
  reader.expectSymbol('(');
  const printed = reader.list(() => printOperand(reader));
  reader.expectSymbol(')');
  if (printed.length !== operands) throw reader.error(`${name} takes ${operands} operand(s)`);
  return `${name}(${printed.join(', ')})`;
}

function printComparison(reader: TokenReader): string {
  const operand = () => printOperand(reader);
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

function printOperand(reader: TokenReader): string {
  const { kind, text } = reader.peek();
  if (kind === 'value') return readValue(reader);
  if (kind !== 'name' || text !== 'size' || !reader.isSymbol('(', 1)) return readPath(reader).text;
  reader.next();
  reader.expectSymbol('(');
  const path = readPath(reader).text;
  reader.expectSymbol(')');
  return `size(${path})`;
}
