import { Argument, Command, Option } from 'commander';
import { imageTags } from './demo-app/image-tags.ts';
import { gatewayCommand, turbulenceOption } from './gateway/command.ts';
import { inventoryCommand } from './inventory/command.ts';
import { timePresets, isTimePreset, type TimePreset } from './gateway/time.ts';

/** Adds `tenantry sandbox`: embedded parts, the demo, and the tools to play with them. Loads what it needs on use only. */
export function registerSandbox(program: Command): void {
  const sandbox = program
    .command('sandbox')
    // Or `sandbox seed --dir X` would set the sandbox's own --dir.
    .enablePositionalOptions()
    .description('bring up every part whose standard variable is unset (PostgreSQL, Temporal, emulated AWS)')
    .option('--demo', 'also run a worker and the API, and provision a demo tenant')
    .option('--product <name>', 'whose tenant --demo and --once provision; by default the first of the installation')
    .option('--once', "show a tenant's whole life, from its provisioning to its removal, compare the inventories, exit")
    .addOption(turbulenceOption())
    .addOption(timeOption())
    .addOption(directoryOption())
    .option('--auth', 'let the API ask who calls: an identity provider with a user per role, and tokens ready-made')
    .option('--verbose', 'show the logs of worker and API')
    .action(async (given: SandboxOptions) => {
      const { runSandbox } = await import('./run.ts');
      await runSandbox(given);
    });
  sandbox.addCommand(gatewayCommand());
  sandbox.addCommand(inventoryCommand());
  // What follows `temporal` is Temporal's own.
  program.enablePositionalOptions().addCommand(temporalCommand());
  sandbox
    .command('seed')
    .description(
      'seed the landing zone into AWS_ENDPOINT_URL (a gateway) and write the PLATFORM_CONFIG file; idempotent',
    )
    .addOption(directoryOption())
    .action(async (given: { dir: string }) => {
      const { seedEndpoint } = await import('./seed-endpoint.ts');
      await seedEndpoint(given.dir);
    });
  sandbox
    .command('template')
    .description(
      'deploy another image tag to a template service, as its own team would: new tenants are cloned from it',
    )
    .addArgument(tagArgument())
    .option('--component <name>', 'whose template; by default the first that the product declares')
    .option('--product <name>', 'by default the first of the installation')
    .addOption(directoryOption())
    .action(async (tag: string, given: { component?: string; product?: string; dir: string }) => {
      const { changeTemplate } = await import('./change-template.ts');
      await changeTemplate({ tag, ...given });
    });
}

/** `tenantry temporal ...`: Temporal's own CLI, which the sandbox has installed but not put on the PATH. */
function temporalCommand(): Command {
  return new Command('temporal')
    .description(
      "Temporal's own CLI, as the sandbox installed it; TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where to",
    )
    .argument('[args...]', 'what it is told, its options included')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      const { runTemporal } = await import('./run-temporal.ts');
      process.exitCode = await runTemporal(args);
    });
}

export interface SandboxOptions {
  readonly demo?: boolean;
  readonly once?: boolean;
  readonly product?: string;
  readonly auth?: boolean;
  readonly verbose?: boolean;
  /** Seed of random faults between Tenantry and AWS. */
  readonly turbulence?: number;
  readonly time: TimePreset;
  readonly dir: string;
}

function tagArgument(): Argument {
  const meanings = Object.entries(imageTags).map(([tag, meaning]) => `"${tag}" ${meaning}`);
  return new Argument('<tag>', meanings.join('; ')).choices(Object.keys(imageTags));
}

function timeOption(): Option {
  return new Option('--time <preset>', 'how long things take in the emulated AWS')
    .choices(Object.keys(timePresets))
    .default('demo')
    .argParser((value) => {
      if (!isTimePreset(value))
        throw new RangeError(`no time preset "${value}" (has: ${Object.keys(timePresets).join(', ')})`);
      return value;
    });
}

function directoryOption(): Option {
  return new Option('--dir <path>', 'where env file, platform description and CA are kept').default('.sandbox');
}
