import { readPath, readValue, type Path } from './paths.ts';
import type { Placeholders } from './placeholders.ts';
import type { TokenReader } from './tokens.ts';

const sections = ['SET', 'REMOVE', 'ADD', 'DELETE'] as const;
export type Section = (typeof sections)[number];

/** One action of an UpdateExpression. */
export interface UpdateAction {
  readonly section: Section;
  readonly target: Path;
  /** Of SET: what it may become. */
  readonly value: UpdateValue | undefined;
  /** To be sent. */
  readonly text: string;
}

/** What SET assigns. */
export interface UpdateValue {
  readonly text: string;
  /** The placeholder whose value it is, when it is nothing else. */
  readonly placeholder?: string | undefined;
  /** It is `if_not_exists` of this attribute: what the attribute holds already, or else the placeholder's value. */
  readonly unlessExists?: string | undefined;
}

/** The actions of an UpdateExpression. @throws ExpressionError */
export function readUpdate(reader: TokenReader, placeholders: Placeholders): UpdateAction[] {
  const found = new Map<Section, UpdateAction[]>();
  do {
    const actions = readSection(reader, placeholders);
    const [{ section }] = actions;
    if (found.has(section)) throw reader.error(`${section} comes once only`);
    found.set(section, actions);
  } while (reader.peek().kind !== 'end');
  return [...found.values()].flat();
}

/** What is sent. */
export function printUpdate(actions: readonly UpdateAction[]): string {
  return sections
    .map((section) => [section, actions.filter((action) => action.section === section)] as const)
    .filter(([, own]) => own.length > 0)
    .map(([section, own]) => `${section} ${own.map(({ text }) => text).join(', ')}`)
    .join(' ');
}

function readSection(reader: TokenReader, placeholders: Placeholders): [UpdateAction, ...UpdateAction[]] {
  const section = sections.find((each) => reader.takeKeyword(each));
  if (!section) throw reader.unexpected();
  return reader.list(() => readAction(section, reader, placeholders));
}

function readAction(section: Section, reader: TokenReader, placeholders: Placeholders): UpdateAction {
  const target = readPath(reader, placeholders);
  if (section === 'REMOVE') return { section, target, value: undefined, text: target.text };
  if (section !== 'SET')
    return { section, target, value: undefined, text: `${target.text} ${readValue(reader, placeholders)}` };
  reader.expectSymbol('=');
  const value = readSum(reader, placeholders);
  return { section, target, value, text: `${target.text} = ${value.text}` };
}

function readSum(reader: TokenReader, placeholders: Placeholders): UpdateValue {
  const left = readOperand(reader, placeholders);
  const sign = ['+', '-'].find((each) => reader.takeSymbol(each));
  return sign ? { text: `${left.text} ${sign} ${readOperand(reader, placeholders).text}` } : left;
}

function readOperand(reader: TokenReader, placeholders: Placeholders): UpdateValue {
  if (reader.takeSymbol('(')) {
    const { text } = reader.nested(() => readSum(reader, placeholders));
    reader.expectSymbol(')');
    return { text: `(${text})` };
  }
  const { kind, text: name } = reader.peek();
  if (kind === 'value') {
    const text = readValue(reader, placeholders);
    return { text, placeholder: text };
  }
  if (kind !== 'name' || !reader.isSymbol('(', 1)) return { text: readPath(reader, placeholders).text };
  if (name === 'if_not_exists') return reader.nested(() => readDefault(reader, placeholders));
  if (name === 'list_append') return reader.nested(() => readAppended(reader, placeholders));
  throw reader.error(`SET knows no function ${name}`);
}

function readDefault(reader: TokenReader, placeholders: Placeholders): UpdateValue {
  reader.next();
  reader.expectSymbol('(');
  const path = readPath(reader, placeholders);
  reader.expectSymbol(',');
  const otherwise = readSum(reader, placeholders);
  reader.expectSymbol(')');
  const isPlain = path.isWhole && otherwise.unlessExists === undefined && otherwise.placeholder !== undefined;
  return {
    text: `if_not_exists(${path.text}, ${otherwise.text})`,
    ...(isPlain && { placeholder: otherwise.placeholder, unlessExists: path.attribute }),
  };
}

function readAppended(reader: TokenReader, placeholders: Placeholders): UpdateValue {
  reader.next();
  reader.expectSymbol('(');
  const first = readSum(reader, placeholders);
  reader.expectSymbol(',');
  const second = readSum(reader, placeholders);
  reader.expectSymbol(')');
  return { text: `list_append(${first.text}, ${second.text})` };
}
