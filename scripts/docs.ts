/** Writes the documents that are made from code; `npm run docs`. A unit test fails when they differ. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runbookPage } from '../src/contracts/advice.ts';
import { errorTable, type ErrorInfo } from '../src/contracts/errors.ts';
import { platformSchema } from '../src/platform.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Path from the repository's root to content. */
export function generatedDocuments(): Readonly<Record<string, string>> {
  return { 'docs/errors.md': errorsPage(), 'docs/platform.schema.json': platformSchemaText() };
}

function errorsPage(): string {
  const rows = Object.entries<ErrorInfo>(errorTable).map(
    ([code, e]) =>
      `| [\`${code}\`](${besideIt(runbookPage(code))}) | ${e.httpStatus ?? ''} | ${e.retryable ? 'yes' : 'no'} | ${toDo(e)} |`,
  );
  return [
    '# Error codes',
    '',
    'Written by `npm run docs` from `src/contracts/errors.ts`. "Retried" means: by itself, by Temporal. Answers of the API are',
    '`{ error: { code, message, details?, requestId } }`. Each code leads to its page of the runbook.',
    '',
    '| code | HTTP | retried | what the operator does |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function toDo({ operator, whenOver }: ErrorInfo): string {
  return whenOver === undefined ? operator : `${operator} Once it is not tried again any more: ${whenOver}`;
}

/** A page's address as seen from another page of `docs/`. */
function besideIt(page: string): string {
  return page.replace(/^docs\//, '');
}

function platformSchemaText(): string {
  const schema = z.toJSONSchema(platformSchema, { io: 'input' });
  return `${JSON.stringify({ $id: 'tenantry-platform-1', title: 'PLATFORM_CONFIG, version 1', ...schema }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of Object.entries(generatedDocuments())) writeFileSync(`${root}${path}`, content);
}
