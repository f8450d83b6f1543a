import { meaningOf } from './meaning.ts';
import type { TokenReader } from './tokens.ts';

/** A document path: `address.lines[0]`. */
export interface Path {
  /** What it begins at: an attribute's name, or the alias of one. */
  readonly root: string;
  /** It is that attribute itself, not something in it. */
  readonly isWhole: boolean;
  /** To be sent. */
  readonly text: string;
}

/** Reads a path. @throws ExpressionError */
export function readPath(reader: TokenReader): Path {
  const root = readName(reader);
  let text = root;
  for (;;) {
    if (reader.takeSymbol('.')) text += `.${readName(reader)}`;
    else if (reader.takeSymbol('[')) text += `[${readIndex(reader)}]`;
    else return { root, isWhole: text === root, text };
  }
}

/** The paths of a ProjectionExpression, printed anew. @throws ExpressionError */
export const printProjection = meaningOf((reader): string => {
  const paths = reader.list(() => readPath(reader));
  reader.expectEnd();
  return paths.map(({ text }) => text).join(', ');
});

/** A placeholder of a value. @throws ExpressionError */
export function readValue(reader: TokenReader): string {
  if (reader.peek().kind !== 'value') throw reader.unexpected();
  return reader.next().text;
}

function readName(reader: TokenReader): string {
  const { kind } = reader.peek();
  if (kind !== 'name' && kind !== 'alias') throw reader.unexpected();
  return reader.next().text;
}

function readIndex(reader: TokenReader): string {
  if (reader.peek().kind !== 'index') throw reader.unexpected();
  const { text } = reader.next();
  reader.expectSymbol(']');
  return text;
}
