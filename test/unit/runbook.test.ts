import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { classifyAwsError } from '../../src/aws/errors.ts';
import { buildProgram, serviceRegistrars } from '../../src/cli/program.ts';
import { adviceOn } from '../../src/contracts/advice.ts';
import { errorTable } from '../../src/contracts/errors.ts';
import { SLOW_AFTER_MS } from '../../src/worker/slow-operations.ts';
import { runbookCommands, runbookPages, runbookText } from '../support/runbook.ts';

const pages = runbookPages();
const headings = (chapter: string) => pages.filter((page) => page.chapter === chapter).map((page) => page.heading);

/** Names of alerts, as `src/` logs them. */
function alertsInCode(): string[] {
  const source = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const names = files.flatMap((file) =>
    [...readFileSync(source + file, 'utf8').matchAll(/\balert: '([^']+)'/g)].map(([, name = '']) => name),
  );
  return [...new Set(names)].sort();
}

describe('the runbook', () => {
  it('has a page for every error code, and for no other', () => {
    const written = [...headings('Failures of steps'), ...headings('Answers of the API')];
    expect(written.sort()).toEqual(Object.keys(errorTable).sort());
  });

  it('has a page for every alert, and for no other', () => {
    expect(headings('Alerts').sort()).toEqual(alertsInCode());
    expect(headings('Alerts')).not.toHaveLength(0);
  });

  it('and the architecture say of each state when an operation in it is slow', () => {
    const architecture = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
    const page = pages.find(({ heading }) => heading === 'operation-slow')?.text ?? '';
    const row = architecture.split('\n').find((line) => line.startsWith('| `operation-slow`')) ?? '';
    for (const [state, ms] of Object.entries(SLOW_AFTER_MS)) {
      const said = new RegExp(`\`${state}\`[^0-9]* ${ms / 60_000} min`);
      expect(page).toMatch(said);
      expect(row).toMatch(said);
    }
  });

  it.each(pages.filter((page) => page.chapter === 'Failures of steps'))(
    'says all that whoever is paged needs of $heading',
    ({ text }) => {
      const labels = [...text.matchAll(/^\*\*([A-Z][A-Za-z ]+)\.\*\*/gm)].map(([, label]) => label);
      expect(labels.filter((label) => label !== 'AWS says')).toEqual([
        'Means',
        'Shows',
        'Causes',
        'Look',
        'Do',
        'Do not',
        'By itself',
      ]);
    },
  );

  it('links to pages that are there, and the advice on a code leads to its page', () => {
    const anchors = [...runbookText().matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    );
    for (const [, anchor] of runbookText().matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
    for (const code of Object.keys(errorTable)) expect(anchors).toContain(adviceOn(code)?.runbook.split('#')[1]);
  });
});

describe("AWS's error names", () => {
  const named = pages.flatMap(({ heading, text }) => {
    const names = /^\*\*AWS says\.\*\* ([^]*?)\n\n/m.exec(text)?.[1] ?? '';
    return [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({ heading, name }));
  });

  it.each(named)('$name is classed as $heading', ({ heading, name }) => {
    // A time-out brings no answer, so no status.
    const status = name === 'TimeoutError' ? {} : { $fault: 'client', $metadata: { httpStatusCode: 400 } };
    const error = Object.assign(new Error('no'), { name, ...status });
    expect(classifyAwsError(error, { service: 'ecs', action: 'CreateService' }).code).toBe(heading);
  });

  it('stand on several pages', () => {
    expect(new Set(named.map(({ heading }) => heading)).size).toBeGreaterThan(5);
  });
});

/** `tenantry` commands of the runbook: in shell blocks, and in the text between backticks. */
function ownCommands(): string[] {
  const inline = [...runbookText().matchAll(/`(tenantry (?:tenants |sweep|doctor|worker|api)[^`]*)`/g)].map(
    ([, command = '']) => command,
  );
  const commands = [...runbookCommands(), ...inline].filter((line) => /^tenantry /.test(line));
  return [...new Set(commands)].filter((line) => line !== 'tenantry tenants');
}

/** The words of a command line, quotes taken off. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** Commands that only note that they were understood. */
function disarm(command: Command, note: (name: string) => void): void {
  for (const child of command.commands) disarm(child, note);
  command.action(() => note(command.name()));
}

describe('the commands of the runbook', () => {
  it.each(ownCommands())('%s is one that the program understands', async (line) => {
    const understood: string[] = [];
    const silent = { out: { write: () => true }, err: { write: () => true } } as never;
    const program = buildProgram({ registrars: await serviceRegistrars(), terminal: silent });
    disarm(program, (name) => understood.push(name));
    await program.parseAsync(words(line).slice(1), { from: 'user' });
    expect(understood).toHaveLength(1);
    expect(understood).not.toEqual(['tenantry']);
  });

  it('are many', () => {
    expect(ownCommands().length).toBeGreaterThan(10);
  });
});
