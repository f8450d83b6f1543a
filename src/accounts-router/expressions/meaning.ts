import { keepLatest } from '../keep-latest.ts';
import type { Placeholders } from './placeholders.ts';
import { TokenReader } from './tokens.ts';

/** What an expression says, by its text alone: what its placeholders stand for is looked up in each call. */
interface Understood<M> {
  readonly meaning: M;
  readonly aliases: readonly string[];
  readonly values: readonly string[];
}

const MOST_KNOWN = 500;
/** Longer ones are rare, and would take much memory. */
const MOST_KNOWN_CHARACTERS = 512;

/**
 * Reads expressions of one grammar, and keeps what was understood of the latest: services send the same ones again and again. Whether the
 * call gives each placeholder is checked every time; a text that is refused is not kept.
 * @param read reads all tokens of an expression. Its result is shared by calls: nobody changes it
 * @returns throws ExpressionError: no expression of the grammar, or a placeholder that is not given
 */
export function meaningOf<M>(read: (reader: TokenReader) => M) {
  const known = new Map<string, Understood<M>>();
  const understand = (field: string, text: unknown): Understood<M> => {
    const found = typeof text === 'string' ? known.get(text) : undefined;
    if (found) return found;
    const reader = new TokenReader(field, text);
    const meaning = read(reader);
    const understood = { meaning, aliases: reader.placeholders('alias'), values: reader.placeholders('value') };
    if (reader.text.length <= MOST_KNOWN_CHARACTERS) keepLatest(known, reader.text, understood, MOST_KNOWN);
    return understood;
  };
  return (field: string, text: unknown, placeholders: Placeholders): M => {
    const { meaning, aliases, values } = understand(field, text);
    placeholders.assertGiven(field, aliases, values);
    return meaning;
  };
}
