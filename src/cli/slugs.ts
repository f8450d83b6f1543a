import { InvalidArgumentError, type Command } from 'commander';
import type { Database } from '../db/database.ts';
import { commandCaller } from '../process-caller.ts';
import { processUser } from '../process-user.ts';
import { commandDatabase } from './command-database.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';

const help = `
The slug of a removed tenant that was ever active is kept for 30 days, so that nobody else gets the address that its users know. Whoever makes the
same customer anew, in another cell for one, ends that early; the audit has who and why. The certificate of the deletion goes on saying 30 days.
Needs DATABASE_URL.

Exit codes:
  0  done
  2  wrong usage
  3  the slug is kept for nobody
  4  refused: a tenant that is there has it
  5  PostgreSQL cannot be reached
  7  unknown: PostgreSQL did not say whether it was done`;

interface Options {
  readonly reason: string;
  readonly by?: string;
  readonly json?: boolean;
}

interface Named {
  readonly product: string;
  readonly slug: string;
}

/** `tenantry slugs`: runs where the database is. */
export function registerSlugs(program: Command, source = () => commandDatabase('slugs')): void {
  const run = openedRunner(source, codes);
  program
    .command('slugs')
    .description('slugs that are kept for removed tenants')
    .addHelpText('after', help)
    .command('release')
    .description('end early that a slug is kept for a removed tenant')
    .argument('<product/slug>', 'of the removed tenant', named)
    .requiredOption('--reason <text>', 'why: for the audit')
    .option('--by <name>', 'who decides (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .action((key: Named, options: Options) => run((database) => release(database, key, options)));
}

const codes: FailureCodes = {
  SlugNotKeptError: { code: 'SLUG_NOT_KEPT', exitCode: exitCodes.notFound },
  SlugInUseError: { code: 'SLUG_TAKEN', exitCode: exitCodes.conflict },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
  CommitUnclearError: { code: 'OUTCOME_UNKNOWN', exitCode: exitCodes.unknown },
};

class SlugNotKeptError extends Error {
  override readonly name = 'SlugNotKeptError';
}
class SlugInUseError extends Error {
  override readonly name = 'SlugInUseError';
}

async function release(
  database: Database,
  { product, slug }: Named,
  { reason, by = processUser(), json }: Options,
): Promise<ExitCode> {
  const [{ findSlugHolder, releaseSlug }, { insertAuditEntry }] = await Promise.all([
    import('../db/reservations.ts'),
    import('../db/audit-entries.ts'),
  ]);
  const holder = await database.transaction(async (tx) => {
    const found = await findSlugHolder(tx, { product, slug });
    if (!found) throw new SlugNotKeptError(`the slug "${slug}" of product ${product} is kept for nobody`);
    const { tenantId, quarantinedUntil } = found;
    if (!quarantinedUntil)
      throw new SlugInUseError(`${product}/${slug} is in use by tenant ${tenantId}: delete that first`);
    await releaseSlug(tx, { product, slug, tenantId });
    const until = quarantinedUntil.toISOString();
    const data = { product, slug, keptUntil: until, reason, by };
    await insertAuditEntry(tx, { action: 'releaseSlug', outcome: 'done', caller: commandCaller(), tenantId, data });
    return { tenantId, until };
  });
  const { tenantId, until } = holder;
  if (json) console.log(JSON.stringify({ product, slug, tenantId, keptUntil: until }));
  else console.log(`released: ${product}/${slug}, which was kept for the removed tenant ${tenantId} until ${until}`);
  return exitCodes.done;
}

/** @throws InvalidArgumentError */
function named(text: string): Named {
  const [, product, slug] = /^([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(text) ?? [];
  if (product === undefined || slug === undefined) throw new InvalidArgumentError('must be <product>/<slug>');
  return { product, slug };
}
