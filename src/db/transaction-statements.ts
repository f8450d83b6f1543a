import { sqlTokens } from './sql-tokens.ts';

/** A statement that begins or ends a transaction. */
export interface TransactionStatement {
  /** Its first word, in capitals: `COMMIT`. */
  readonly word: string;
  /** Counted from 1. */
  readonly line: number;
}

/**
 * The first statement of a script that would begin or end the transaction that the script runs in; undefined when there is none.
 * A savepoint does neither. A COMMIT in a function or a DO block is not looked for: PostgreSQL itself refuses it there while a
 * transaction is open.
 */
export function findTransactionStatement(sql: string): TransactionStatement | undefined {
  return statementsOf(sql).find(({ words }) => isOfTransaction(words))?.at;
}

interface Statement {
  readonly at: TransactionStatement;
  /** Its first words, lowercase: those of a heading like `create or replace function` at most. */
  readonly words: string[];
}

function isOfTransaction([first, ...rest]: readonly string[]): boolean {
  switch (first) {
    case 'begin':
    case 'start':
    case 'commit':
    case 'end':
    case 'abort':
      return true;
    case 'prepare':
      return rest[0] === 'transaction';
    case 'rollback':
      return (rest[0] === 'work' || rest[0] === 'transaction' ? rest[1] : rest[0]) !== 'to';
    default:
      return false;
  }
}

const HEADING_WORDS = 4;

function statementsOf(sql: string): Statement[] {
  const statements: Statement[] = [];
  let current: Statement | undefined;
  const nesting = { parentheses: 0, atomic: 0 };
  let previous = '';
  for (const { kind, text, line } of sqlTokens(sql)) {
    const word = kind === 'word' ? text.toLowerCase() : text;
    if (word === ';' && nesting.parentheses <= 0 && nesting.atomic === 0) {
      current = undefined;
      nesting.parentheses = 0;
    } else {
      if (!current) statements.push((current = { at: { word: text.toUpperCase(), line }, words: [] }));
      if (current.words.length < HEADING_WORDS) current.words.push(word);
      nest(nesting, { word, previous, isRoutine: isRoutine(current.words) });
    }
    previous = word;
  }
  return statements;
}

/** Semicolons end no statement within parentheses (CREATE RULE) or within a body of SQL (BEGIN ATOMIC ... END). */
function nest(
  nesting: { parentheses: number; atomic: number },
  { word, previous, isRoutine }: { word: string; previous: string; isRoutine: boolean },
): void {
  if (word === '(') nesting.parentheses += 1;
  if (word === ')') nesting.parentheses -= 1;
  if (!isRoutine || nesting.parentheses > 0 || previous === 'as') return;
  if (word === 'atomic' && previous === 'begin') nesting.atomic = 1;
  else if (nesting.atomic > 0 && word === 'case') nesting.atomic += 1;
  else if (nesting.atomic > 0 && word === 'end') nesting.atomic -= 1;
}

function isRoutine(words: readonly string[]): boolean {
  return /^create (or replace )?(function|procedure)\b/.test(words.join(' '));
}
