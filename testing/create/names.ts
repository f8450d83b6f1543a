/** Names of a product or kind that is to be written, in every form that its files have them in. */
export interface Names {
  /** `acme-notes` */
  readonly name: string;
  /** `acmeNotes` */
  readonly variable: string;
  /** `AcmeNotes` */
  readonly typeName: string;
  /** `acme notes` */
  readonly words: string;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** As long as the name of a product may be. */
const LONGEST = 40;
/** Words that JavaScript keeps for itself, as far as a name of this form can be one. */
const KEPT = new Set(
  'await break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof let new null package return static super switch this throw true try typeof var void while with yield'.split(
    ' ',
  ),
);

/** @throws RangeError when it cannot be the name of a product or kind */
export function namesOf(name: string): Names {
  if (!NAME.test(name) || name.length > LONGEST)
    throw new RangeError(
      `"${name}" is no name: use lower case letters, digits and single hyphens, a letter first, at most ${LONGEST}`,
    );
  if (KEPT.has(name)) throw new RangeError(`"${name}" is no name: JavaScript keeps this word for itself`);
  const words = name.split('-');
  const typeName = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return { name, variable: typeName[0]!.toLowerCase() + typeName.slice(1), typeName, words: words.join(' ') };
}

/** The text with one set of names in the place of another. */
export function renamed(text: string, from: Names, to: Names): string {
  return text
    .replaceAll(from.name, to.name)
    .replaceAll(from.variable, to.variable)
    .replaceAll(from.typeName, to.typeName)
    .replaceAll(from.words, to.words);
}
