import { shapeProblems } from '../shape-problems.ts';
import { detailNames } from './detail-settings.ts';
import { slugRules, type Product } from './product.ts';

const NOUN = /^[a-z]+( [a-z]+)*$/;
const PATH = /^\w+(\.\w+)*$/;
const detailsShape = Object.fromEntries(detailNames.map((name) => [name, 'string?'] as const));

/** What is wrong with the words of a product: of its slugs, its noun, its details. Each is undefined, or has the type that it declares. */
export function namingProblems({ details, noun, slugs }: Pick<Product, 'details' | 'noun' | 'slugs'>): string[] {
  const unshaped = details === undefined ? [] : shapeProblems(details, detailsShape);
  const wrong = unshaped.length > 0 ? [] : Object.values(details ?? {}).filter((path) => !PATH.test(path));
  return [
    ...(slugs === undefined || slugRules.includes(slugs) ? [] : [`slugs must be one of ${slugRules.join(', ')}`]),
    ...(noun === undefined || NOUN.test(noun) ? [] : [`noun must be lower case words, such as account`]),
    ...unshaped.map((problem) => `details: ${problem}`),
    ...wrong.map((path) => `details names "${path}", which is no path of a setting, such as owner.email`),
  ];
}
