import { readFileSync } from 'node:fs';
import { Help, type Command, type Option } from 'commander';
import { registerAudit } from './audit.ts';
import { registerAccounts } from './accounts.ts';
import { CheckedCommand } from './checked-command.ts';
import { registerCompletion } from './completion.ts';
import type { SetExitCode } from './command-parts.ts';
import type { Terminal } from './output.ts';
import { registerFreezes } from './freezes.ts';
import { registerLogin } from './login.ts';
import { registerProducts } from './products.ts';
import { registerTenants } from './tenants.ts';
import { registerWebhooks } from './webhooks.ts';

/** Adds commands to the program. */
export type Registrar = (program: Command) => void;

export interface ProgramOptions {
  readonly terminal?: Terminal;
  readonly setExitCode?: SetExitCode;
  /** Failures are JSON: commander prints none of its own. */
  readonly json?: boolean;
  /** Commands besides those on tenants. */
  readonly registrars?: readonly Registrar[];
}

/** The command line. Parsing throws CommanderError instead of ending the process. */
export function buildProgram(options: ProgramOptions = {}): Command {
  const terminal = options.terminal ?? { out: process.stdout, err: process.stderr, input: process.stdin };
  const setExitCode = options.setExitCode ?? ((code) => (process.exitCode = code));
  const program = new CheckedCommand('tenantry')
    .description('Tenant control plane: provisions, changes, watches and removes tenants on AWS, durably')
    .showHelpAfterError('(run the command with --help to see its options)')
    // An option belongs to the command that it follows, whatever its parents call theirs.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => (options.json === true ? true : terminal.err.write(text)),
    })
    .configureHelp({ optionDescription: describeOption })
    .version(packageVersion(), '-V, --version', 'print the version')
    .exitOverride();
  registerTenants(program, terminal, setExitCode);
  registerAccounts(program, terminal, setExitCode);
  registerProducts(program, terminal, setExitCode);
  registerFreezes(program, terminal, setExitCode);
  registerLogin(program, terminal, setExitCode);
  registerWebhooks(program, terminal, setExitCode);
  registerAudit(program, terminal, setExitCode);
  registerCompletion(program, terminal);
  for (const register of options.registrars ?? []) register(program);
  return program;
}

/** Commander's text, and whether the option must be given. */
function describeOption(option: Option): string {
  const described = new Help().optionDescription(option);
  return option.mandatory ? `${described} (required)` : described;
}

/** Of package.json, which stands above the source. */
function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

/** The commands that run where credentials are. Each loads what it needs when it runs, so that help and completion are quick. */
export async function serviceRegistrars(): Promise<Registrar[]> {
  const [
    api,
    worker,
    migrate,
    adoptNamespace,
    doctor,
    sweep,
    drift,
    projection,
    archives,
    keys,
    canary,
    cells,
    slugs,
    payloadKeys,
  ] = await Promise.all([
    import('./api.ts'),
    import('./worker.ts'),
    import('./migrate.ts'),
    import('./adopt-namespace.ts'),
    import('./doctor.ts'),
    import('./sweep.ts'),
    import('./drift.ts'),
    import('./projection.ts'),
    import('./archives.ts'),
    import('./keys.ts'),
    import('./canary.ts'),
    import('./cells.ts'),
    import('./slugs.ts'),
    import('./payload-keys.ts'),
  ]);
  return [
    api.registerApi,
    worker.registerWorker,
    migrate.registerMigrate,
    adoptNamespace.registerAdoptNamespace,
    doctor.registerDoctor,
    sweep.registerSweep,
    drift.registerDrift,
    projection.registerProjection,
    archives.registerArchives,
    keys.registerKeys,
    canary.registerCanary,
    cells.registerCells,
    slugs.registerSlugs,
    payloadKeys.registerPayloadKeys,
  ];
}
