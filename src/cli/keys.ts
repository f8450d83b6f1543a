import { Option, type Command } from 'commander';
import { z } from 'zod';
import { givenRoles, type GivenRole } from '../contracts/caller.ts';
import type { Database } from '../db/database.ts';
import { commandCaller } from '../process-caller.ts';
import { processUser } from '../process-user.ts';
import { commandDatabase } from './command-database.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { keyJson, keyLine, madeText } from './keys-output.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';
import { DEFAULT_KEY_LIFETIME, keyLifetime, keyName, tenantIds } from './keys-options.ts';

const help = `
A service key lets a program call the API (TENANTRY_SERVICE_KEYS=true): Authorization: Bearer tnk_... Its text is printed once, on
stdout, and cannot be had again: only its hash is kept. Its caller in the records is key:<name> (docs/service-keys.md).
These commands run where the database is, with DATABASE_URL.

Exit codes:
  0  done
  2  wrong usage or bad input
  3  there is no such key or tenant
  4  refused: a key of that name is in force
  5  PostgreSQL cannot be reached
  7  unknown: PostgreSQL did not say whether it was done; look with \`tenantry keys list --all\``;

interface Common {
  readonly json?: boolean;
}
interface CreateOptions extends Common {
  readonly role: GivenRole;
  readonly tenant?: readonly string[];
  readonly expires: number;
  readonly by?: string;
}

/** Where the commands get the control plane's database from; other than the environment's: for programs that have one. */
export type KeysSource = () => Promise<Database>;

/** `tenantry keys`: runs where the credentials are. */
export function registerKeys(program: Command, source: KeysSource = () => commandDatabase('keys')): void {
  const run = openedRunner(source, codes);
  const keys = program
    .command('keys')
    .description('service keys, with which programs call the API: make, list, revoke')
    .addHelpText('after', help);
  keys
    .command('create')
    .description('make a key, and print it once')
    .argument('<name>', 'what it is for: lower case letters, digits, . _ -', keyName)
    .addOption(new Option('--role <role>', 'what it may do').choices(givenRoles).makeOptionMandatory())
    .option('--tenant <id...>', 'of a tenant-admin: the tenants that it may reach', tenantIds)
    .addOption(
      new Option('--expires <time>', 'how long it works, up to 365d: 12h, 30d')
        .argParser(keyLifetime)
        .default(keyLifetime(DEFAULT_KEY_LIFETIME), DEFAULT_KEY_LIFETIME),
    )
    .option('--by <name>', 'who makes it (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .action((name: string, options: CreateOptions, command: Command) => {
      refuseWrongTenants(command, options);
      return run((database) => create(database, name, options));
    });
  keys
    .command('list')
    .description('keys in force, newest first, without their text')
    .option('--all', 'also those that are revoked or have expired')
    .option('--json', 'one JSON document on stdout')
    .action((options: Common & { all?: boolean }) => run((database) => list(database, options)));
  keys
    .command('revoke <key>')
    .description('end a key, by its name or id: the next request with it is refused, by every process of the API')
    .option('--by <name>', 'who ends it (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .action((key: string, options: Common & { by?: string }) => run((database) => revoke(database, key, options)));
}

const codes: FailureCodes = {
  KeyNameTakenError: { code: 'KEY_NAME_TAKEN', exitCode: exitCodes.conflict },
  NoSuchTenantsError: { code: 'TENANT_NOT_FOUND', exitCode: exitCodes.notFound },
  KeyNotFoundError: { code: 'KEY_NOT_FOUND', exitCode: exitCodes.notFound },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
  CommitUnclearError: { code: 'OUTCOME_UNKNOWN', exitCode: exitCodes.unknown },
};

class KeyNotFoundError extends Error {
  override readonly name = 'KeyNotFoundError';
}

function refuseWrongTenants(command: Command, { role, tenant = [] }: CreateOptions): void {
  if (role === 'tenant-admin' && tenant.length === 0)
    command.error('error: --role tenant-admin needs --tenant: the tenants that it may reach');
  if (role !== 'tenant-admin' && tenant.length > 0)
    command.error(`error: --tenant goes with --role tenant-admin: a ${role} is not bound to tenants`);
}

async function create(database: Database, name: string, options: CreateOptions): Promise<ExitCode> {
  const { role, tenant: tenants = [], expires: lifetimeMs, by = processUser(), json } = options;
  const [{ newKeyText }, { insertServiceKey }] = await Promise.all([
    import('../service-key.ts'),
    import('../db/service-keys.ts'),
  ]);
  const { text, hash, prefix } = newKeyText();
  const caller = commandCaller();
  const made = await insertServiceKey(database, { name, role, tenants, hash, prefix, lifetimeMs, by, caller });
  if (json) console.log(JSON.stringify({ key: text, ...keyJson(made) }));
  else {
    console.error(madeText(made));
    console.log(text);
  }
  return exitCodes.done;
}

async function list(database: Database, { all = false, json }: Common & { all?: boolean }): Promise<ExitCode> {
  const { listServiceKeys } = await import('../db/service-keys.ts');
  const found = await listServiceKeys(database, all);
  if (json) console.log(JSON.stringify({ keys: found.map(keyJson) }));
  else console.log(found.map(keyLine).join('\n') || (all ? 'there is no key' : 'no key is in force'));
  return exitCodes.done;
}

async function revoke(
  database: Database,
  key: string,
  { by = processUser(), json }: Common & { by?: string },
): Promise<ExitCode> {
  const { revokeServiceKey } = await import('../db/service-keys.ts');
  const ended = await revokeServiceKey(database, { key, by, caller: commandCaller() });
  if (!ended) {
    // Whoever mistakes the text of a key for its name has it in the terminal already, but not in a log by us.
    const isId = z.uuid().safeParse(key).success;
    throw new KeyNotFoundError(
      key.startsWith('tnk_')
        ? 'give the name or the id of the key, not its text: `tenantry keys list` shows them beside the beginning of the text'
        : `there is no key of the ${isId ? 'id' : 'name'} ${key} to revoke`,
    );
  }
  const { row, revokedNow } = ended;
  if (json) console.log(JSON.stringify({ ...keyJson(row), revokedNow }));
  else
    console.log(
      revokedNow
        ? `revoked: ${row.name} (${row.id})`
        : `${row.name} (${row.id}) was revoked already, at ${row.revokedAt?.toISOString()} by ${row.revokedBy}`,
    );
  return exitCodes.done;
}
