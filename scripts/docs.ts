/** Writes the documents that are made from code; `npm run docs`. A unit test fails when they differ. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { accessTable, type AccessRow } from '../src/api/access/access-table.ts';
import { runbookPage } from '../src/contracts/advice.ts';
import { givenRoles, makingRoles, type GivenRole } from '../src/contracts/caller.ts';
import { errorTable, type ErrorInfo } from '../src/contracts/errors.ts';
import { operationTable, operationTypes, type OperationRules } from '../src/contracts/operation-table.ts';
import { policyTemplates } from '../src/iam/policies.ts';
import { boundaryTemplate } from '../src/iam/tenant-boundary.ts';
import { builtInKinds } from '../src/kinds/built-in.ts';
import { platformSchema } from '../src/platform.ts';
import { securityPage } from './security-page.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

/** Path from the repository's root to content. */
export function generatedDocuments(): Readonly<Record<string, string>> {
  return {
    'docs/errors.md': errorsPage(),
    'docs/security.md': securityPage(),
    'docs/access.md': withPart('docs/access.md', 'access', accessTablePart()),
    'docs/platform.schema.json': platformSchemaText(),
    'docs/architecture.md': withPart('docs/architecture.md', 'operations', operationsTable()),
    ...policyFiles(),
  };
}

/** Rights of the workers' roles and the boundary of tenants' roles, as the landing zone fills them in. */
function policyFiles(): Record<string, string> {
  const templates = { ...policyTemplates(builtInKinds), ...boundaryTemplate() };
  return Object.fromEntries(
    Object.entries(templates).map(([name, text]) => [`terraform/landing-zone/policies/${name}`, text]),
  );
}

/** A document with the part between its markers of this name as the code has it. */
function withPart(path: string, name: string, content: string): string {
  const document = readFileSync(`${root}${path}`, 'utf8');
  const [begin, end] = [`<!-- ${name}: written by npm run docs -->`, `<!-- ${name}: end -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} lacks the markers of its part "${name}"`);
  return `${document.slice(0, from)}${begin}\n\n${content}\n\n${document.slice(to)}`;
}

function operationsTable(): string {
  const cells: readonly (readonly [string, (rules: OperationRules) => string])[] = [
    ['workflow type', (r) => `\`${r.workflowType}\``],
    ['walks to', (r) => (r.target === 'nothing' ? 'nothing' : `the ${r.target} blueprint`)],
    [
      'a failed one walks back to',
      (r) => (r.undo === 'none' ? 'no undo: finished or stuck' : 'the applied blueprint, or nothing'),
    ],
    ['makes steps in', (r) => listed(r.makesIn)],
    ['removes steps in; entered again by `retry` of a stuck one', (r) => `\`${r.removesIn}\``],
    ['cancellable in', (r) => (r.hasGrace ? 'its grace period' : listed(r.cancellableIn))],
    ['succeeds by', (r) => (r.succeedsBy === 'finalize' ? 'its step `finalize`' : 'its close')],
    ['ledger is empty at', (r) => listed(r.emptyLedgerAt)],
    ["removes an ever active tenant's data", (r) => (r.dropsData ? 'yes' : 'no')],
    ['tenant, once claimed', (r) => `\`${r.tenantStatus.claimed}\``],
    ['on success', (r) => `\`${r.tenantStatus.succeeded}\``],
    ['when stuck', (r) => `\`${r.tenantStatus.stuck}\``],
    ['while a retry removes what is left', (r) => `\`${r.tenantStatus.retried}\``],
    ['when undone', (r) => listed([...new Set(Object.values(r.tenantStatus.undone))])],
  ];
  return [
    `| | ${operationTypes.map((type) => `\`${type}\``).join(' | ')} |`,
    `|---|${operationTypes.map(() => '---|').join('')}`,
    ...cells.map(([name, of]) => `| ${name} | ${operationTypes.map((type) => of(operationTable[type])).join(' | ')} |`),
  ].join('\n');
}

function accessTablePart(): string {
  const mayCall = ({ roles, check, except }: AccessRow, role: GivenRole): string => {
    if (roles === 'anybody') return 'yes';
    if (!roles.includes(role)) return '';
    const isScoped = role === 'tenant-admin' || makingRoles.includes(role);
    const how = isScoped && check !== 'none' ? check : 'yes';
    return isScoped && except !== undefined ? `${how}; ${except}` : how;
  };
  const row = ([id, access]: [string, AccessRow]) =>
    `| \`${access.route}\` | \`${id}\` | ${access.roles === 'anybody' ? 'no' : 'yes'} | ${givenRoles.map((role) => mayCall(access, role)).join(' | ')} |`;
  return [
    `| route | operation | needs a credential | ${givenRoles.join(' | ')} |`,
    `|---|---|---|${givenRoles.map(() => '---|').join('')}`,
    ...Object.entries<AccessRow>(accessTable).map(row),
  ].join('\n');
}

function listed(words: readonly string[]): string {
  return words.length === 0 ? 'none' : words.map((word) => `\`${word}\``).join(', ');
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
  return whenOver === undefined ? operator : `${operator} When the tries are used up: ${whenOver}`;
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
