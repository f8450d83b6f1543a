import { InvalidArgumentError, Option, type Command } from 'commander';
import { loadLogLevel } from '../config.ts';
import { durationMs } from '../contracts/durations.ts';
import { SIMULATOR, type CanarySettings } from '../canary/settings.ts';
import { exitCodes } from './exit-codes.ts';
import { contactEmail, wholeNumber } from './option-values.ts';
import { runServer } from './process.ts';
import { addSettingsOptions, chosenSettings, type SettingsOptions } from './settings-options.ts';

interface CanaryOptions extends SettingsOptions {
  readonly product: string;
  readonly tier?: string;
  readonly cell?: string;
  readonly email: string;
  readonly every: number;
  readonly once?: boolean;
  readonly path?: readonly string[];
  readonly status: number;
  readonly text?: string;
  readonly connectTo?: string;
  readonly within: number;
  readonly probeWithin: number;
  readonly removeWithin: number;
  readonly leftAfter?: number;
  readonly port?: number;
}

const help = `
It makes a tenant through the API, asks its address as a user would, deletes the tenant without a grace period and holds the certificate
of that against the installation's keys. What an earlier run left is removed first. It asks the API at TENANTRY_API_URL with
TENANTRY_API_TOKEN: a service key of the role canary, which reaches what it made and nothing else (docs/canary.md).

A run that fails logs a line of level error with "alert": "canary-failed". One that is skipped (a freeze, another canary at work) does not.

Exit codes of --once:
  0  it succeeded, or was skipped
  1  it failed
  2  wrong usage or settings
  130  it was told to stop on the way`;

const POLL_MS = 2_000;
const PROBE_TIMEOUT_MS = 10_000;
/** Clocks differ, and a run ends a little after its last phase. */
const MARGIN_MS = 300_000;

/** `tenantry canary`: needs the API alone. */
export function registerCanary(program: Command): void {
  const command = program
    .command('canary')
    .description('make, look at and remove a tenant again and again, and raise an alert when that does not work')
    .requiredOption('--product <name>', 'whose tenant is made')
    .option('--tier <tier>', 'of the tenant, where the product has tiers')
    .option('--cell <id>', 'in which it is made (default: where the next tenant of the product would be)')
    .addOption(new Option('--email <address>', "the tenant's contact").argParser(contactEmail).default(SIMULATOR))
    .addOption(duration('--every <time>', 'from one run to the next', '15m', 10_000))
    .option('--once', 'one run, whose outcome is the exit code')
    .option('--path <path>', "of the tenant's address, which must answer (default: /; may be repeated)", paths)
    .addOption(new Option('--status <code>', 'with which it must answer').argParser(wholeNumber(100, 599)).default(200))
    .option('--text <text>', 'that each answer must hold')
    .addOption(
      new Option('--connect-to <host:port>', 'where to connect, when not to what the name resolves to').argParser(
        place,
      ),
    )
    .addOption(duration('--within <time>', 'for the tenant to be active', '15m', 1_000))
    .addOption(duration('--probe-within <time>', 'for its address to answer', '5m', 1_000))
    .addOption(duration('--remove-within <time>', 'for its removal', '20m', 1_000))
    .addOption(
      duration(
        '--left-after <time>',
        'age at which a tenant of a run that is not known to go on is removed (default: longer than a run may take)',
        undefined,
        0,
      ),
    )
    .addOption(new Option('--port <number>', 'of /healthz and /metrics').argParser(wholeNumber(0, 65_535)))
    .addHelpText('after', help);
  addSettingsOptions(command).action((options: CanaryOptions) => run(options));
}

async function run(options: CanaryOptions): Promise<void> {
  const settings = settingsOf(options);
  await runServer(
    () => ({ logLevel: loadLogLevel() }),
    async (_config, log, stop) => {
      const [{ serveCanary }, { environmentApi }] = await Promise.all([
        import('../canary/serve.ts'),
        import('./environment-api.ts'),
      ]);
      const everyMs = options.once === true ? undefined : options.every;
      const { port } = options;
      const report = await serveCanary({ api: environmentApi(), settings, everyMs, port, log, stop });
      if (options.once !== true) return;
      process.exitCode = stop.aborted
        ? exitCodes.interrupted
        : report.outcome === 'failed'
          ? exitCodes.failed
          : exitCodes.done;
    },
  );
}

function settingsOf(options: CanaryOptions): CanarySettings {
  const { cell, connectTo, email, path = ['/'], product, status, text, tier } = options;
  const { probeWithin, removeWithin, within } = options;
  const longestMs = within + probeWithin + 2 * removeWithin + MARGIN_MS;
  return {
    ...{ product, tier, cell, contactEmail: email, settings: chosenSettings(options) },
    probe: { paths: path, status, text, connectTo, timeoutMs: PROBE_TIMEOUT_MS },
    ...{ provisionWithinMs: within, probeWithinMs: probeWithin, removeWithinMs: removeWithin },
    ...{ leftAfterMs: options.leftAfter ?? longestMs, pollMs: POLL_MS },
  };
}

const LONGEST_MS = 86_400_000;

function duration(flags: string, description: string, byDefault: string | undefined, leastMs: number): Option {
  const option = new Option(flags, description).argParser((given: string) => durationOf(given, leastMs));
  return byDefault === undefined ? option : option.default(durationOf(byDefault, leastMs), byDefault);
}

/** In ms. @throws InvalidArgumentError */
function durationOf(given: string, leastMs: number): number {
  const ms = durationMs(given);
  if (ms !== undefined && ms >= leastMs && ms <= LONGEST_MS) return ms;
  throw new InvalidArgumentError(
    `must be a number of seconds, minutes or hours from ${leastMs / 1_000}s to 24h: 90s, 15m`,
  );
}

/** Collects paths. @throws InvalidArgumentError */
function paths(given: string, before: readonly string[] = []): readonly string[] {
  if (!/^\/(?!\/)[!-~]*$/.test(given)) throw new InvalidArgumentError('must be a path that begins with one slash');
  return [...before, given];
}

/** @throws InvalidArgumentError */
function place(given: string): string {
  if (/^(\[[0-9a-fA-F:.]+\]|[^\s:]+):\d{1,5}$/.test(given)) return given;
  throw new InvalidArgumentError('must be host:port');
}
