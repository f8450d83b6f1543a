import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { PROJECTION_BEHIND_MS } from '../contracts/projection.ts';
import { lagText } from '../projection/lag-text.ts';
import type { Projections, ProjectionStatus } from '../projection/open-projection.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { counted } from './text.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';

const help = `
Workers project each tenant and its events to the DynamoDB table of its cell (docs/projection.md).

Exit codes:
  0  done; for status: no cell is behind and no tenant fails
  1  for status: a cell is behind by more than 5 minutes, or a tenant cannot be projected; for rebuild: AWS refused a call
  2  wrong usage or bad input
  3  no such cell, or it names no table
  5  PostgreSQL cannot be reached`;

interface Options {
  readonly cell?: string;
  readonly json?: boolean;
}

/** Where the commands get their projections from; other than the environment's: for programs that have them. */
export type ProjectionsSource = () => Promise<Projections>;

/** `tenantry projection`: runs where the credentials are. */
export function registerProjection(program: Command, source: ProjectionsSource = fromEnvironment): void {
  const run = openedRunner(source, codes);
  const projection = program
    .command('projection')
    .description('the projection of tenants to DynamoDB: how far it is; write it anew')
    .addHelpText('after', help);
  projection
    .command('status')
    .description('how far each cell is behind, and which tenants cannot be projected')
    .option('--cell <id>', 'this cell only')
    .option('--json', 'one JSON document on stdout')
    .action((options: Options) => run((projections) => status(projections, options)));
  projection
    .command('rebuild')
    .description('write every tenant anew from PostgreSQL and remove what has no tenant; workers may go on beside it')
    .option('--cell <id>', 'this cell only')
    .option('--json', 'one JSON document on stdout')
    .action((options: Options) => run((projections) => rebuild(projections, options)));
}

async function fromEnvironment(): Promise<Projections> {
  const config = loadConfig('api');
  const { openProjections } = await import('../projection/open-projection.ts');
  return openProjections(config);
}

const codes: FailureCodes = {
  ProjectionNotFoundError: { code: 'PROJECTION_NOT_FOUND', exitCode: exitCodes.notFound },
  StepError: { code: 'PROJECTION_FAILED', exitCode: exitCodes.failed },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
};

async function status(projections: Projections, { cell, json }: Options): Promise<ExitCode> {
  const found = await projections.status(cell);
  print(json, { projections: found }, () => found.map(statusText).join('\n'));
  const isWell = found.every(({ lagMs, failing }) => lagMs <= PROJECTION_BEHIND_MS && failing.length === 0);
  return isWell ? exitCodes.done : exitCodes.failed;
}

function statusText({ failing, ...at }: ProjectionStatus): string {
  const failures = failing.map((f) => `  tenant ${f.tenantId} failed ${f.attempts} times: ${f.error}`);
  return [`cell ${at.cell}, table ${at.table}: ${lagText(at)}`, ...failures].join('\n');
}

async function rebuild(projections: Projections, { cell, json }: Options): Promise<ExitCode> {
  const rebuilt = await projections.rebuild(cell);
  print(json, { rebuilt }, () =>
    rebuilt
      .map(
        (r) =>
          `cell ${r.cell}, table ${r.table}: ${counted(r.tenants, 'tenant')} with ${counted(r.events, 'event')} written, ${counted(r.removed, 'item')} removed, ${r.foreign} of others left`,
      )
      .join('\n'),
  );
  return exitCodes.done;
}

function print(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value) : text());
}
