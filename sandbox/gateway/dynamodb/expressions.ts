import { AwsError } from '../answer.ts';
import { isReserved } from './reserved-words.ts';

/** One part of a request that has expressions: a whole one, a member of a batch or of a transaction. */
export type ExpressionSite = Readonly<Record<string, unknown>>;

const expressionFields = [
  ...['UpdateExpression', 'ConditionExpression', 'KeyConditionExpression', 'FilterExpression', 'ProjectionExpression'],
];

/**
 * What DynamoDB refuses of expressions before it looks at an item: a reserved word in place of an attribute, and names and values that
 * are given and not used. @throws AwsError ValidationException
 */
export function refuseExpressions(site: ExpressionSite): void {
  const used = new Set<string>();
  for (const field of expressionFields) {
    const expression = site[field];
    if (typeof expression !== 'string') continue;
    const tokens = tokensOf(expression);
    const reserved = tokens.find((token, at) => isAttribute(tokens, at) && isReserved(token));
    if (reserved !== undefined)
      throw invalid(`Invalid ${field}: Attribute name is a reserved keyword; reserved keyword: ${reserved}`);
    for (const token of tokens) used.add(token);
  }
  // Without any expression, the emulator says it in AWS's words.
  if (used.size === 0) return;
  for (const field of ['ExpressionAttributeNames', 'ExpressionAttributeValues']) refuseUnused(field, site[field], used);
}

function refuseUnused(field: string, given: unknown, used: ReadonlySet<string>): void {
  if (typeof given !== 'object' || given === null) return;
  const unused = Object.keys(given).filter((key) => !used.has(key));
  if (unused.length === 0) return;
  throw invalid(`Value provided in ${field} unused in expressions: keys: {${unused.join(', ')}}`);
}

/** Words (`#name` and `:value` among them) and signs. */
function tokensOf(expression: string): string[] {
  return expression.match(/[#:]?\w+|\S/g) ?? [];
}

const operators = ['AND', 'OR', 'NOT', 'BETWEEN', 'IN'];
const clauses = ['SET', 'REMOVE', 'ADD', 'DELETE'];

/** Whether a word stands where an attribute's name does: not as a function, nor as a word of the expression's own grammar. */
function isAttribute(tokens: readonly string[], at: number): boolean {
  const [token = '', before = '', after = ''] = [tokens[at], tokens[at - 1], tokens[at + 1]];
  if (!/^[A-Za-z_]/.test(token)) return false;
  const isInPath = before === '.' || after === '.' || after === '[';
  if (isInPath) return true;
  if (operators.includes(token.toUpperCase())) return false;
  if (clauses.includes(token.toUpperCase())) return isAssigned(before, after);
  return after !== '(';
}

/** `SET delete = :x`, `ADD add :x`: no clause begins there. */
function isAssigned(before: string, after: string): boolean {
  return after === '=' || ['=', ',', '+', '-', '(', ...clauses].includes(before.toUpperCase());
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
