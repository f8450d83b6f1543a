import type { Placeholders } from './placeholders.ts';
import type { TokenReader } from './tokens.ts';

/** A document path: `address.lines[0]`. */
export interface Path {
  /** The attribute that it begins at, its alias resolved. */
  readonly attribute: string;
  /** It is that attribute itself, not something in it. */
  readonly isWhole: boolean;
  /** To be sent. */
  readonly text: string;
}

/** Reads a path. @throws ExpressionError */
export function readPath(reader: TokenReader, placeholders: Placeholders): Path {
  const root = readName(reader);
  let text = root.text;
  for (;;) {
    if (reader.takeSymbol('.')) text += `.${readElement(reader, placeholders)}`;
    else if (reader.takeSymbol('[')) text += `[${readIndex(reader)}]`;
    else return { attribute: placeholders.attribute(root, reader), isWhole: text === root.text, text };
  }
}

/** The paths of a ProjectionExpression, printed anew. @throws ExpressionError */
export function printProjection(reader: TokenReader, placeholders: Placeholders): string {
  const paths = reader.list(() => readPath(reader, placeholders));
  reader.expectEnd();
  return paths.map(({ text }) => text).join(', ');
}

/** A placeholder of a value. @throws ExpressionError */
export function readValue(reader: TokenReader, placeholders: Placeholders): string {
  if (reader.peek().kind !== 'value') throw reader.unexpected();
  const { text } = reader.next();
  placeholders.value(text, reader.field);
  return text;
}

function readElement(reader: TokenReader, placeholders: Placeholders): string {
  const element = readName(reader);
  placeholders.attribute(element, reader);
  return element.text;
}

function readName(reader: TokenReader) {
  const { kind } = reader.peek();
  if (kind !== 'name' && kind !== 'alias') throw reader.unexpected();
  return reader.next();
}

function readIndex(reader: TokenReader): string {
  if (reader.peek().kind !== 'index') throw reader.unexpected();
  const { text } = reader.next();
  reader.expectSymbol(']');
  return text;
}
