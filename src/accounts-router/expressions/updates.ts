import { meaningOf } from './meaning.ts';
import { readPath, readValue, type Path } from './paths.ts';
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
  /** It is `if_not_exists` of this attribute (its name, or the alias of one): what it holds already, or else the placeholder's value. */
  readonly unlessExists?: string | undefined;
}

/** What an UpdateExpression does. */
export interface UnderstoodUpdate {
  readonly actions: readonly UpdateAction[];
  /** To be sent. */
  readonly text: string;
}

/** @throws ExpressionError */
export const readUpdate = meaningOf((reader): UnderstoodUpdate => {
  const found = new Map<Section, UpdateAction[]>();
  do {
    const actions = readSection(reader);
    const [{ section }] = actions;
    if (found.has(section)) throw reader.error(`${section} comes once only`);
    found.set(section, actions);
  } while (reader.peek().kind !== 'end');
  const actions = [...found.values()].flat();
  return { actions, text: printUpdate(actions) };
});

function printUpdate(actions: readonly UpdateAction[]): string {
  return sections
    .map((section) => [section, actions.filter((action) => action.section === section)] as const)
    .filter(([, own]) => own.length > 0)
    .map(([section, own]) => `${section} ${own.map(({ text }) => text).join(', ')}`)
    .join(' ');
}

function readSection(reader: TokenReader): [UpdateAction, ...UpdateAction[]] {
  const section = sections.find((each) => reader.takeKeyword(each));
  if (!section) throw reader.unexpected();
  return reader.list(() => readAction(section, reader));
}

function readAction(section: Section, reader: TokenReader): UpdateAction {
  const target = readPath(reader);
  if (section === 'REMOVE') return { section, target, value: undefined, text: target.text };
  if (section !== 'SET') return { section, target, value: undefined, text: `${target.text} ${readValue(reader)}` };
  reader.expectSymbol('=');
  const value = readSum(reader);
  return { section, target, value, text: `${target.text} = ${value.text}` };
}

function readSum(reader: TokenReader): UpdateValue {
  const left = readOperand(reader);
  const sign = ['+', '-'].find((each) => reader.takeSymbol(each));
  return sign ? { text: `${left.text} ${sign} ${readOperand(reader).text}` } : left;
}

function readOperand(reader: TokenReader): UpdateValue {
  if (reader.takeSymbol('(')) {
    const { text } = reader.nested(() => readSum(reader));
    reader.expectSymbol(')');
    return { text: `(${text})` };
  }
  const { kind, text: name } = reader.peek();
  if (kind === 'value') {
    const text = readValue(reader);
    return { text, placeholder: text };
  }
  if (kind !== 'name' || !reader.isSymbol('(', 1)) return { text: readPath(reader).text };
  if (name === 'if_not_exists') return reader.nested(() => readDefault(reader));
  if (name === 'list_append') return reader.nested(() => readAppended(reader));
  throw reader.error(`SET knows no function ${name}`);
}

function readDefault(reader: TokenReader): UpdateValue {
  reader.next();
  reader.expectSymbol('(');
  const path = readPath(reader);
  reader.expectSymbol(',');
  const otherwise = readSum(reader);
  reader.expectSymbol(')');
  const isPlain = path.isWhole && otherwise.unlessExists === undefined && otherwise.placeholder !== undefined;
  return {
    text: `if_not_exists(${path.text}, ${otherwise.text})`,
    ...(isPlain && { placeholder: otherwise.placeholder, unlessExists: path.root }),
  };
}

function readAppended(reader: TokenReader): UpdateValue {
  reader.next();
  reader.expectSymbol('(');
  const first = readSum(reader);
  reader.expectSymbol(',');
  const second = readSum(reader);
  reader.expectSymbol(')');
  return { text: `list_append(${first.text}, ${second.text})` };
}
