import { Option } from 'commander';
import type { z } from 'zod';
import { auditAnswer } from '../api/audit-schemas.ts';
import { loadApiUrl } from '../config.ts';
import { auditOutcomes } from '../contracts/audit-outcome.ts';
import { callerOn, linesOn, queryOf } from './api-exchange.ts';
import type { CheckedCommand } from './checked-command.ts';
import { commandIn, LONGEST_PAGE, type SetExitCode } from './command-parts.ts';
import type { Common } from './context.ts';
import { credentialsFor } from './credentials.ts';
import { environmentApi } from './environment-api.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { open, type Open } from './open-answers.ts';
import { wholeNumber } from './option-values.ts';
import { printJson, type Terminal } from './output.ts';
import { tenantSubject } from './subject.ts';
import { findTenantId } from './tenant-names.ts';
import { oneLine } from './text.ts';

interface FilterOptions extends Common {
  readonly tenant?: string;
  readonly principal?: string;
  readonly type?: string;
  readonly outcome?: string;
  readonly requestId?: string;
  readonly address?: string;
  readonly from?: string;
  readonly to?: string;
}
type ListOptions = FilterOptions & { readonly limit?: number; readonly cursor?: string };
type Entry = Open<z.infer<typeof auditAnswer>>['entries'][number];

const answer = open(auditAnswer);

/** `tenantry audit`: who did what and who was refused what, through the API at `TENANTRY_API_URL`. */
export function registerAudit(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  const group = program
    .command('audit')
    .description('who changed what, and who was refused what, through the API at TENANTRY_API_URL')
    .addHelpText('after', exitCodesHelp);
  const command = commandIn(group);
  const filterOf = async ({
    tenant,
    principal,
    type,
    outcome,
    requestId,
    address,
    from,
    to,
    ...common
  }: FilterOptions) => ({
    ...{ principal, type, outcome, requestId, address, from, to },
    tenantId:
      tenant === undefined
        ? undefined
        : await findTenantId({ api: environmentApi(), terminal, subject: tenantSubject }, tenant, common),
  });
  filtered(command('list', 'list what was done and what was refused, newest first'))
    .option('--limit <n>', `entries per page, 1 to ${LONGEST_PAGE}`, wholeNumber(1, LONGEST_PAGE))
    .option('--cursor <cursor>', 'start after the page that ended with this cursor')
    .action(async ({ limit, cursor, ...options }: ListOptions) => {
      const url = loadApiUrl();
      const query = queryOf({ ...(await filterOf(options)), limit: limit?.toString(), cursor });
      const page = await callerOn(url, credentialsFor(url))(answer, 'GET', `/api/v1/audit${query}`);
      if (options.json === true) printJson(terminal, page);
      else for (const entry of page.entries) terminal.out.write(`${lineOf(entry)}\n`);
      if (options.json !== true && page.entries.length === 0) terminal.err.write('nothing matches\n');
      if (options.json !== true && page.nextCursor !== null) terminal.err.write(`more: --cursor ${page.nextCursor}\n`);
      setExitCode(exitCodes.done);
    });
  filtered(command('export', 'write all of it to stdout, newest first, a line of JSON each')).action(
    async (options: FilterOptions) => {
      const url = loadApiUrl();
      const path = `/api/v1/audit/export${queryOf(await filterOf(options))}`;
      for await (const line of linesOn({ baseUrl: url, credentials: credentialsFor(url) }, path))
        terminal.out.write(`${line}\n`);
      setExitCode(exitCodes.done);
    },
  );
}

function filtered(command: CheckedCommand): CheckedCommand {
  return command
    .option('--tenant <tenant>', 'only of this tenant: an id, a slug, or product/slug')
    .option('--principal <name>', 'only of this caller')
    .option('--type <type>', 'only of this type: changeTenant, operation.accepted, FORBIDDEN')
    .addOption(new Option('--outcome <outcome>', 'only with this outcome').choices(auditOutcomes))
    .option('--request-id <id>', 'only of this request')
    .option('--address <address>', 'only from this address')
    .option('--from <time>', 'nothing earlier: 2026-01-31, which is its midnight, UTC, or 2026-01-31T12:00:00Z')
    .option('--to <time>', 'nothing at or after it');
}

function lineOf({ at, outcome, type, caller, tenantId, data }: Entry): string {
  const by = caller?.principal ?? 'nobody known';
  const from = caller?.address === undefined ? '' : ` from ${caller.address}`;
  const of = tenantId === null ? '' : ` tenant ${tenantId}`;
  return oneLine(`${at} ${outcome} ${type} by ${by}${from}${of} ${JSON.stringify(data)}`);
}
