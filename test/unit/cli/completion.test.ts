import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completedCommands } from '../../../src/cli/completion.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../../src/cli/completion-scripts.ts';
import { buildProgram, serviceRegistrars } from '../../../src/cli/program.ts';
import { registerSandbox } from '../../../sandbox/cli.ts';

const program = buildProgram({ registrars: [...(await serviceRegistrars()), registerSandbox] });
const commands = completedCommands(program);

/** What bash offers after these words; the last one is being typed. One shell for all questions. */
function bashOffers(questions: readonly (readonly string[])[]): string[][] {
  const asked = questions.map((words) => {
    const quoted = ['tenantry', ...words].map((word) => `'${word}'`).join(' ');
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _tenantry; echo "\${COMPREPLY[*]}"`;
  });
  const { stdout, stderr } = spawnSync('bash', ['-c', [bashCompletion(commands), ...asked].join('\n')], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').filter(Boolean));
}

describe('the completion for bash', () => {
  it('offers every subcommand and every option of every command', () => {
    const offered = bashOffers(commands.map(({ path }) => [...path.split(' ').filter(Boolean), '']));
    for (const [n, { subcommands, options }] of commands.entries())
      expect(offered[n]).toEqual([...subcommands, ...options].map(({ name }) => name));
    expect(commands.length).toBeGreaterThan(20);
  });

  it('offers the values of an option that has choices, and no words after one that takes any', () => {
    const [status, some, any, shell, after] = bashOffers([
      ['tenants', 'list', '--status', ''],
      ['tenants', 'list', '--status', 'del'],
      ['tenants', 'create', '--name', ''],
      ['completion', ''],
      ['tenants', 'show', 'list', '--'],
    ]);
    expect(status).toContain('active');
    expect(some).toEqual(['deleting', 'deleted']);
    expect(any).toEqual([]);
    expect(shell).toEqual(['bash', 'zsh', 'fish', '--help']);
    expect(after).toEqual(['--json', '--help']);
  });
});

describe('the completions for zsh and fish', () => {
  it.each([
    ['zsh', zshCompletion(commands)],
    ['fish', fishCompletion(commands)],
  ])('%s names every command and every option', (_shell, script) => {
    for (const { path, subcommands, options } of commands) {
      expect(script).toContain(path);
      for (const { name } of [...subcommands, ...options]) expect(script).toContain(name.replace(/^--/, ''));
    }
  });
});

describe('help', () => {
  it('marks the options that must be given', () => {
    const create = program.commands.find((c) => c.name() === 'tenants')?.commands.find((c) => c.name() === 'create');
    const marked =
      create
        ?.helpInformation()
        .split('\n')
        .filter((line) => line.includes('(required)')) ?? [];
    const names = marked.map((line) => /--[a-z-]+/.exec(line)?.[0]);
    expect(names).toEqual(create?.options.filter((option) => option.mandatory).map((option) => option.long));
    expect(names).toHaveLength(3);
  });
});
