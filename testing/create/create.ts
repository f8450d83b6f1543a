import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBuiltIn } from '../../src/kinds/built-in.ts';
import { namesOf, renamed } from './names.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What a first version is written from: an example that is tried like every other. */
const sources = {
  product: {
    name: 'first-product',
    folder: join(examples, 'first-product'),
    files: ['product.ts', 'migrations/0001_items.sql'],
  },
  kind: { name: 'sqs-queue', folder: join(examples, 'notes'), files: ['sqs-queue.ts'] },
} as const;
const CONFIG = 'tenantry.config.ts';
const TYPES = 'tsconfig.json';
/** Node runs the files as they are; `skipLibCheck`, because declarations of others name packages that have none. */
const typesText = `{
  "compilerOptions": {
    "target": "ES2023",
    "module": "NodeNext",
    "strict": true,
    "skipLibCheck": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "noEmit": true
  },
  "include": ["**/*.ts"]
}
`;

export type Creation = keyof typeof sources;

export interface Created {
  /** Paths of the files that were written, from the folder. */
  readonly files: readonly string[];
  /** Packages that its files import, besides Tenantry. */
  readonly packages: readonly string[];
  /** What has to be added to a configuration that was there already, line by line. */
  readonly toAdd: readonly string[];
  /** Lines of a kind that name the service and type that it is written for, `file:line: text`. */
  readonly toChange: readonly string[];
}

/**
 * Writes the first version of a product or a kind into a folder, and a `tenantry.config.ts` and a `tsconfig.json` when there is none. What is there is left as
 * it is.
 * @throws RangeError when the name cannot be used, or one of the files is there
 */
export function create(what: Creation, name: string, directory: string): Created {
  const { files, folder, name: from } = sources[what];
  if (what === 'kind' && isBuiltIn({ name }))
    throw new RangeError(`"${name}" is a kind that comes with Tenantry: choose another name`);
  const [source, names] = [namesOf(from), namesOf(name)];
  const texts = new Map(
    files.map((file) => {
      const text = sharingTypes(renamed(readFileSync(join(folder, file), 'utf8'), source, names), directory);
      return [what === 'product' ? join(name, renamed(file, source, names)) : `${name}.ts`, text];
    }),
  );
  const module = what === 'product' ? `./${name}/product.ts` : `./${name}.ts`;
  const entry = `${what}s: [${names.variable}]`;
  const imports = `import { ${names.variable} } from '${module}';`;
  const hasConfig = existsSync(join(directory, CONFIG));
  if (!hasConfig) texts.set(CONFIG, configText(what, imports, entry));
  if (!existsSync(join(directory, TYPES))) texts.set(TYPES, typesText);
  refuseToOverwrite(directory, [...texts.keys()]);
  for (const [file, text] of texts) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text, { flag: 'wx' });
  }
  const packages = [...texts.values()].flatMap((text) =>
    [...text.matchAll(/ from '(@[^']+)'/g)].map(([, one]) => one!),
  );
  const toChange = what === 'kind' ? linesToChange(`${name}.ts`, texts.get(`${name}.ts`) ?? '') : [];
  return { files: [...texts.keys()], packages, toAdd: hasConfig ? [imports, entry] : [], toChange };
}

/** What another type of resource has otherwise, in the order in which it stands there. */
const particular = /^(?:const type = |const missing = | +noun: | +permissions: | +errors: |.* from '@aws-sdk\/)/;

function linesToChange(file: string, text: string): string[] {
  return text.split('\n').flatMap((line, i) => (particular.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : []));
}

const typeIn = /^const type = '([^']+)';$/m;
const sweptIn = /^\/\*\*.*\*\/\nexport const swept = (.+);\n/m;

/**
 * The text of a kind; where another one of the folder describes its type, it takes that description. Two of one type do not go together.
 */
function sharingTypes(text: string, directory: string): string {
  const [type, swept] = [typeIn.exec(text)?.[1], sweptIn.exec(text)];
  if (type === undefined || swept === null || !existsSync(directory)) return text;
  const other = readdirSync(directory)
    .filter((file) => file.endsWith('.ts') && file !== CONFIG)
    .find((file) => {
      const written = readFileSync(join(directory, file), 'utf8');
      return typeIn.exec(written)?.[1] === type && sweptIn.test(written);
    });
  if (other === undefined) return text;
  const [lines, made = ''] = swept;
  const imported = `import { swept } from './${other}';`;
  const hint = `// It is of the type of ${other}, so it is swept as that one. With a type of its own: const swept = ${made};`;
  return text.replace(lines, '').replace(/^(\} from 'tenantry';)$/m, `$1\n${hint}\n${imported}`);
}

function configText(what: Creation, imports: string, entry: string): string {
  // An installation without a product has nothing to do: what comes with Tenantry is there until it has its own.
  const [names, list] =
    what === 'product' ? ['defineConfig', entry] : ['defineConfig, moamalat', `products: [moamalat], ${entry}`];
  return `import { ${names} } from 'tenantry';\n${imports}\n\nexport default defineConfig({ ${list} });\n`;
}

function refuseToOverwrite(directory: string, files: readonly string[]): void {
  const there = files.filter((file) => existsSync(join(directory, file)));
  if (there.length > 0) throw new RangeError(`nothing was written: ${there.join(', ')} is there already`);
}
