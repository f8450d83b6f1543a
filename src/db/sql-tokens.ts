/** A word, a quoted thing as a whole, or any other character of a script. */
export interface SqlToken {
  readonly kind: 'word' | 'quoted' | 'other';
  readonly text: string;
  /** The line that it begins in, counted from 1. */
  readonly line: number;
}

/**
 * What a script consists of besides white space and comments, as PostgreSQL reads it while `standard_conforming_strings` is on
 * (its chapter "Lexical Structure"). Something that is opened and never closed goes on to the end, where PostgreSQL refuses it.
 */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  let line = 1;
  for (let at = 0; at < sql.length;) {
    const { kind, end } = tokenAt(sql, at);
    const text = sql.slice(at, end);
    if (kind !== 'nothing') yield { kind, text, line };
    line += text.split('\n').length - 1;
    at = end;
  }
}

interface Piece {
  readonly kind: SqlToken['kind'] | 'nothing';
  readonly end: number;
}

const blank = /\s+/y;
const lineComment = /--[^\n\r]*/y;
const word = /[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*/iy;
const dollarTag = /\$(?:[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$/iy;

function tokenAt(sql: string, at: number): Piece {
  const ignored = endOf(blank, sql, at) ?? endOf(lineComment, sql, at) ?? endOfBlockComment(sql, at);
  if (ignored !== undefined) return { kind: 'nothing', end: ignored };
  const quoted = endOfQuoted(sql, at);
  if (quoted !== undefined) return { kind: 'quoted', end: quoted };
  const endOfWord = endOf(word, sql, at);
  return endOfWord === undefined ? { kind: 'other', end: at + 1 } : { kind: 'word', end: endOfWord };
}

function endOf(pattern: RegExp, sql: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}

/** Block comments nest, unlike those of other languages. */
function endOfBlockComment(sql: string, at: number): number | undefined {
  if (!sql.startsWith('/*', at)) return undefined;
  let depth = 1;
  let end = at + 2;
  for (; end < sql.length && depth > 0; end += 1) {
    const pair = sql.slice(end, end + 2);
    if (pair === '/*' || pair === '*/') {
      depth += pair === '/*' ? 1 : -1;
      end += 1;
    }
  }
  return end;
}

function endOfQuoted(sql: string, at: number): number | undefined {
  const first = sql[at];
  if (first === "'" || first === '"') return closing(sql, at, { escapes: false });
  if ((first === 'e' || first === 'E') && sql[at + 1] === "'") return endOfEscapes(sql, at + 1);
  const endOfTag = endOf(dollarTag, sql, at);
  if (endOfTag === undefined) return undefined;
  const tag = sql.slice(at, endOfTag);
  const close = sql.indexOf(tag, endOfTag);
  return close < 0 ? sql.length : close + tag.length;
}

/** The place after the quote that closes; a quote that is doubled does not. */
function closing(sql: string, open: number, { escapes }: { escapes: boolean }): number {
  const quote = sql[open];
  for (let at = open + 1; at < sql.length; at += 1) {
    if (escapes && sql[at] === '\\') at += 1;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return sql.length;
}

const continuation = /[ \t\f\v]*[\n\r]\s*'/y;

/** A string that goes on in a later line keeps its kind. */
function endOfEscapes(sql: string, open: number): number {
  let end = closing(sql, open, { escapes: true });
  for (let next = endOf(continuation, sql, end); next !== undefined; next = endOf(continuation, sql, end))
    end = closing(sql, next - 1, { escapes: true });
  return end;
}
