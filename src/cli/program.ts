import { Command } from 'commander';
import type { Terminal } from './output.ts';
import { registerTenants, type SetExitCode } from './tenants.ts';

/** Adds commands to the program. */
export type Registrar = (program: Command) => void;

export interface ProgramOptions {
  readonly terminal?: Terminal;
  readonly setExitCode?: SetExitCode;
  /** Commands besides those on tenants. */
  readonly registrars?: readonly Registrar[];
}

/** The command line. Parsing throws CommanderError instead of ending the process. */
export function buildProgram(options: ProgramOptions = {}): Command {
  const terminal = options.terminal ?? { out: process.stdout, err: process.stderr };
  const setExitCode = options.setExitCode ?? ((code) => (process.exitCode = code));
  const program = new Command('tenantry')
    .description('Tenant control plane: provisions, changes, watches and removes tenants on AWS, durably')
    .showHelpAfterError('(--help tells more)')
    // An option belongs to the command that it follows, whatever its parents call theirs.
    .enablePositionalOptions()
    .configureOutput({ writeOut: (text) => terminal.out.write(text), writeErr: (text) => terminal.err.write(text) })
    .exitOverride();
  registerTenants(program, terminal, setExitCode);
  for (const register of options.registrars ?? []) register(program);
  return program;
}

/** The commands that run where credentials are. Loaded apart: they pull in Temporal's worker and the AWS SDK. */
export async function serviceRegistrars(): Promise<Registrar[]> {
  const [api, worker, migrate, adoptNamespace, doctor, sweep] = await Promise.all([
    import('./api.ts'),
    import('./worker.ts'),
    import('./migrate.ts'),
    import('./adopt-namespace.ts'),
    import('./doctor.ts'),
    import('./sweep.ts'),
  ]);
  return [
    api.registerApi,
    worker.registerWorker,
    migrate.registerMigrate,
    adoptNamespace.registerAdoptNamespace,
    doctor.registerDoctor,
    sweep.registerSweep,
  ];
}
