import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { buildProgram, serviceRegistrars } from '../../../src/cli/program.ts';

let said = '';
const none = () => Promise.resolve([]);
beforeEach(() => {
  said = '';
  process.exitCode = undefined;
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said += String(text)), true));
  vi.spyOn(console, 'error').mockImplementation((text: unknown) => void (said += String(text)));
  // Nobody listens on it.
  vi.stubEnv('TENANTRY_API_URL', 'http://127.0.0.1:8');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.stdout.removeAllListeners('error');
  process.exitCode = undefined;
});

async function failure(args: readonly string[]): Promise<string> {
  await main(args, none);
  expect(process.exitCode, args.join(' ')).toBeGreaterThan(0);
  return said;
}

const commands = leavesOf(buildProgram({ registrars: await serviceRegistrars() }));

describe('a command that fails says why on stderr', () => {
  it.each(commands.map(({ words }) => [words.join(' '), words] as const))(
    '%s, of an unknown option',
    async (_, words) => {
      expect(await failure([...words, '--nonsense'])).toContain('nonsense');
    },
  );

  const byApi = commands.filter(({ words: [group = ''] }) => ['tenants', 'products', 'freeze'].includes(group));
  it.each(byApi.map((one) => [one.words.join(' '), one] as const))(
    '%s, of an API that is not there',
    async (_, one) => {
      expect(await failure([...one.words, ...needsOf(one.command)])).toMatch(/error: \S/);
    },
  );

  it.each([
    [['--verify', '/nowhere/certificate.json'], 'cannot be read as JSON'],
    [['--verify', new URL('../../../package.json', import.meta.url).pathname], 'has another form'],
    [[], 'name a tenant, or a file with --verify'],
  ])('tenants certificate %j', async (args, why) => {
    expect(await failure(['tenants', 'certificate', ...args])).toContain(why);
    expect(process.exitCode).toBe(2);
  });
});

interface Leaf {
  readonly words: readonly string[];
  readonly command: Command;
}

function leavesOf(command: Command, words: readonly string[] = []): Leaf[] {
  if (command.commands.length === 0) return [{ words, command }];
  return command.commands.flatMap((sub) => leavesOf(sub, [...words, sub.name()]));
}

/** Arguments and options that must be given, such that nothing is wrong with them. */
function needsOf({ registeredArguments, options }: Command): string[] {
  const values: Readonly<Record<string, string>> = { '--slug': 'acme', '--email': 'ops@acme.example', '--count': '1' };
  const given = options.filter(({ mandatory }) => mandatory).map(({ long }) => long ?? '');
  return [
    ...registeredArguments.map(() => '8f1a0f0e-6f1c-4b8e-9d3f-1a2b3c4d5e6f'),
    ...given.flatMap((long) => [long, values[long] ?? 'x']),
  ];
}
