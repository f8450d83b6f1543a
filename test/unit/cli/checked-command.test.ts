import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { listQuery } from '../../../src/api/schemas/lists.ts';
import { reportOf } from '../../../src/cli/error-report.ts';
import { buildProgram, serviceRegistrars } from '../../../src/cli/program.ts';
import { LONGEST_PAGE } from '../../../src/cli/command-parts.ts';

const registrars = await serviceRegistrars();

/** What the command line says is wrong with these words; undefined when it accepts them. */
async function complaint(...argv: string[]): Promise<string | undefined> {
  const program = buildProgram({ json: true, registrars });
  // Nobody listens there: what is accepted ends with another error.
  process.env.TENANTRY_API_URL = 'http://127.0.0.1:2';
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) return undefined;
    return reportOf(error).message;
  } finally {
    delete process.env.TENANTRY_API_URL;
  }
  return undefined;
}
const identity = ['--product', 'moamalat', '--slug', 'acme', '--name', 'Acme', '--email', 'ops@acme.example'];

describe('a command line with several mistakes', () => {
  it('is answered with all missing options in one message', async () => {
    expect(await complaint('tenants', 'create')).toBe(
      "missing: --product <name>, --slug <slug> (unless the product's tenants have their ids for slugs), --name <text>, --email <address>",
    );
    expect(await complaint('tenants', 'abandon')).toBe('missing: <tenant>, --reason <text>');
    expect(await complaint('sweep', 'approve')).toBe('missing: <report>, --by <name>');
  });

  it('is answered with missing, invalid, unknown and unexpected words in one message', async () => {
    const said = await complaint(
      ...['tenants', 'create', '--on-failure', 'maybe', '--slug', 'x', '--email', 'nowhere', '--tear', 'big'],
    );
    expect(said?.split('\n')).toEqual([
      'the command line cannot be used:',
      '  - --on-failure "maybe": must be one of hold, rollback',
      '  - missing: --product <name>, --name <text>',
      '  - unknown option --tear',
      '  - --slug "x": must have 3 to 40 characters, has 1',
      expect.stringMatching(/^ {2}- --email "nowhere": must be an email address/),
    ]);
    expect(await complaint('tenants', 'list', '--limit', '0', '--status', 'gone')).toMatch(
      /--limit "0"[^]*--status "gone"/,
    );
    expect(await complaint('tenants', 'create', ...identity.slice(0, 5), 'Acme', 'Corp')).toMatch(
      /missing: --email <address>\n.*unexpected "Corp" \(put a value with spaces in quotes\)/,
    );
  });

  it('is answered with arguments that cannot be, beside the rest', async () => {
    expect(
      (await complaint('keys', 'create', 'bad name!', '--role', 'nope', '--expires', 'soon'))?.split('\n'),
    ).toEqual([
      'the command line cannot be used:',
      expect.stringMatching(/^ {2}- --role "nope": must be one of /),
      expect.stringMatching(/^ {2}- --expires "soon": must be a number of /),
      expect.stringMatching(/^ {2}- <name> "bad name!": must be 1 to 63 /),
    ]);
    expect(await complaint('keys', 'create', 'bad name!', '--role', 'self-service')).toContain('must be 1 to 63');
  });

  it('is answered with every option that has no value', async () => {
    const said = await complaint('tenants', 'create', '--slug', '--name', 'a', '--email');
    expect(said).toMatch(/--slug has no value[^]*--email has no value[^]*missing: --product <name>/);
  });

  it('of which one is a misspelled option still gets the suggestion', async () => {
    expect(await complaint('tenants', 'list', '--limt', '3')).toMatch(
      /unknown option '--limt'\n\(Did you mean --limit\?\)/,
    );
  });
});

describe('values that only the API can judge', () => {
  it('are left to it where one is missing that some products need', async () => {
    expect(await complaint('tenants', 'create', '--product', 'accounts', ...identity.slice(4))).toBeUndefined();
    expect(await complaint('tenants', 'create', '--product', 'accounts', ...identity.slice(6))).toBe(
      "missing: --slug <slug> (unless the product's tenants have their ids for slugs), --name <text>",
    );
  });

  it('are left to the API when nothing else is wrong, whose answer says more', async () => {
    const shortSlug = identity.map((word) => (word === 'acme' ? 'x' : word));
    expect(await complaint('tenants', 'create', ...shortSlug, '--no-wait')).toBeUndefined();
  });
});

describe('options that contradict each other', () => {
  const waiting = [
    ['create', ...identity],
    ['retry', 'acme'],
    ['cancel', 'acme'],
    ['delete', 'acme'],
  ];
  it.each(waiting)('%s refuses --wait with --no-wait', async (...words) => {
    expect(await complaint('tenants', ...words, '--wait', '--no-wait')).toBe(
      '--wait and --no-wait contradict each other: give one of them',
    );
    expect(await complaint('tenants', ...words, '--no-wait')).toBeUndefined();
  });

  it.each(waiting.slice(0, 2))('%s refuses --until-hold with --no-wait', async (...words) => {
    expect(await complaint('tenants', ...words, '--until-hold', '--no-wait')).toBe(
      '--until-hold and --no-wait contradict each other: give one of them',
    );
    expect(await complaint('tenants', ...words, '--until-hold', '--wait')).toBeUndefined();
  });
});

describe('an option that is a number', () => {
  it.each([
    [['tenants', 'list', '--limit'], ['0', '201', '-1', '1.5', '1e2', '0x10', '', 'many'], ' from 1 to 200'],
    [['tenants', 'events', 'acme', '--after'], ['-1', '1.5', 'x', '9007199254740992'], ', 0 or more'],
    [['sweep', 'remove', 'report', '--limit'], ['0', '21', '1e1'], ' from 1 to 20'],
  ])('%j refuses %j, and says the range', async (words, values, range) => {
    for (const value of values)
      expect(await complaint(...words, value)).toBe(`${words.at(-1)} "${value}": must be a whole number${range}`);
  });

  it('has its range in the help, and that of the API', async () => {
    const list = buildProgram()
      .commands.find((command) => command.name() === 'tenants')
      ?.commands.find((command) => command.name() === 'list');
    expect(list?.helpInformation()).toContain(`tenants per page, 1 to ${LONGEST_PAGE}`);
    expect(listQuery.safeParse({ limit: `${LONGEST_PAGE}` }).success).toBe(true);
    expect(listQuery.safeParse({ limit: `${LONGEST_PAGE + 1}` }).success).toBe(false);
    expect(await complaint('tenants', 'list', '--limit', '200')).toBeUndefined();
  });
});

describe('the version', () => {
  it.each(['-V', '--version'])('is printed for %s', async (flag) => {
    let said = '';
    const stream = { write: (text: string) => (said += text) } as unknown as NodeJS.WriteStream;
    const program = buildProgram({ terminal: { out: stream, err: stream } });
    await expect(program.parseAsync([flag], { from: 'user' })).rejects.toMatchObject({ exitCode: 0 });
    expect(said).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
