import { ExpressionError } from '../errors.ts';

export interface Token {
  readonly kind: 'name' | 'alias' | 'value' | 'index' | 'symbol' | 'end';
  readonly text: string;
}

/** DynamoDB takes no longer expression. */
const MOST_CHARACTERS = 4096;
/** Deeper than any expression that somebody wrote; DynamoDB allows 300 operators in one. */
const MOST_DEPTH = 300;
const token =
  /[ \t\r\n]*(?:(?<alias>#[A-Za-z0-9_]+)|(?<value>:[A-Za-z0-9_]+)|(?<name>[A-Za-z][A-Za-z0-9_]*)|(?<index>[0-9]+)|(?<symbol><=|>=|<>|[=<>()[\],.+-]))/y;
const end: Token = { kind: 'end', text: 'the end' };

/** The tokens of an expression, one after the other. */
export class TokenReader {
  readonly field: string;
  readonly text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  /** @throws ExpressionError when a character belongs to no token */
  constructor(field: string, text: unknown) {
    this.field = field;
    if (typeof text !== 'string' || text.length > MOST_CHARACTERS)
      throw this.error(`an expression is a string of at most ${MOST_CHARACTERS} characters`);
    this.text = text;
    this.#tokens = tokensOf(text, this);
  }

  /** The `#names` or `:values` among its tokens, each once. */
  placeholders(kind: 'alias' | 'value'): readonly string[] {
    return [...new Set(this.#tokens.filter((token) => token.kind === kind).map(({ text }) => text))];
  }

  error(why: string): ExpressionError {
    return new ExpressionError(this.field, why);
  }

  unexpected(): ExpressionError {
    return this.error(`unexpected ${this.peek().text}`);
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? end;
  }

  next(): Token {
    const found = this.peek();
    this.#at += 1;
    return found;
  }

  isSymbol(text: string, ahead = 0): boolean {
    const { kind, text: found } = this.peek(ahead);
    return kind === 'symbol' && found === text;
  }

  /** Keywords are in any case. */
  isKeyword(word: string): boolean {
    const { kind, text } = this.peek();
    return kind === 'name' && text.toUpperCase() === word;
  }

  takeSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.#at += 1;
    return true;
  }

  takeKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.#at += 1;
    return true;
  }

  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.unexpected();
  }

  expectKeyword(word: string): void {
    if (!this.takeKeyword(word)) throw this.unexpected();
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.unexpected();
  }

  /** What stands between commas: at least one. */
  list<T>(one: () => T): [T, ...T[]] {
    const found: [T, ...T[]] = [one()];
    while (this.takeSymbol(',')) found.push(one());
    return found;
  }

  /** @throws ExpressionError when it is nested too deep */
  nested<T>(inner: () => T): T {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw this.error(`nested deeper than ${MOST_DEPTH}`);
    const found = inner();
    this.#depth -= 1;
    return found;
  }
}

function tokensOf(text: string, reader: TokenReader): Token[] {
  const trimmed = text.replace(/[ \t\r\n]+$/, '');
  const found: Token[] = [];
  token.lastIndex = 0;
  for (let at = 0; at < trimmed.length; at = token.lastIndex) {
    const { alias, value, name, index, symbol } = token.exec(trimmed)?.groups ?? {};
    if (alias) found.push({ kind: 'alias', text: alias });
    else if (value) found.push({ kind: 'value', text: value });
    else if (name) found.push({ kind: 'name', text: name });
    else if (index) found.push({ kind: 'index', text: index });
    else if (symbol) found.push({ kind: 'symbol', text: symbol });
    else throw reader.error(`unexpected characters at ${at}`);
  }
  if (found.length === 0) throw reader.error('an expression is not empty');
  return found;
}
