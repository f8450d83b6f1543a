import type { Command } from 'commander';
import { loadPayloadKeys, loadTemporal } from '../config.ts';
import type { Database } from '../db/database.ts';
import type { LastingKind, SealedCount } from '../db/sealed-rows.ts';
import { commandCaller } from '../process-caller.ts';
import { processUser } from '../process-user.ts';
import type { RunsOfKey } from '../temporal/key-use.ts';
import { commandDatabase } from './command-database.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { openedRunner, type FailureCodes } from './opened-command.ts';

const help = `
TENANTRY_PAYLOAD_KEY is a list: the first key encrypts, all decrypt. These commands show keys by an id that is made of them and gives nothing
away, the same that Temporal's payloads bear. How to rotate them: docs/key-rotation.md. They need DATABASE_URL, TENANTRY_PAYLOAD_KEY, and
\`list\` TEMPORAL_*.

Exit codes:
  0  done; of list: every key that is needed is configured
  1  a key is needed that is not configured
  2  wrong usage or settings
  5  Temporal or PostgreSQL cannot be reached
  7  unknown: PostgreSQL did not say whether it was done`;

interface Options {
  readonly json?: boolean;
  readonly by?: string;
  readonly reason?: string;
}

/** `tenantry payload-keys` and `tenantry signing-key`: run where database and keys are. */
export function registerPayloadKeys(program: Command, source = () => commandDatabase('payload-keys')): void {
  const run = openedRunner(source, codes);
  const keys = program
    .command('payload-keys')
    .description('keys that encrypt payloads: which are needed still, and what is stored anew under the first')
    .addHelpText('after', help);
  keys
    .command('list')
    .description('what each key is needed for: rows of the database, and every history that Temporal keeps')
    .option('--json', 'one JSON document on stdout')
    .action((options: Options) => run((database) => list(database, options)));
  keys
    .command('reseal')
    .description('encrypt what lasts (the signing key, secrets of webhooks) anew with the first key')
    .option('--by <name>', 'who asks (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .action((options: Options) => run((database) => reseal(database, options)));
  program
    .command('signing-key')
    .description('the key that signs certificates of deletions')
    .command('rotate')
    .description('sign with another key from now on; what was signed before is verified as before')
    .requiredOption('--reason <text>', 'why: for the audit')
    .option('--by <name>', 'who decides (default: the user that runs it)')
    .option('--json', 'one JSON document on stdout')
    .action((options: Options) => run((database) => rotate(database, options)));
}

const codes: FailureCodes = {
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.unavailable },
  CommitUnclearError: { code: 'OUTCOME_UNKNOWN', exitCode: exitCodes.unknown },
  ServiceError: { code: 'ORCHESTRATOR_UNAVAILABLE', exitCode: exitCodes.unavailable },
};

interface KeyReport {
  readonly key: string;
  /** Its place in the list; null: it is not configured. */
  readonly place: number | null;
  readonly stored: readonly Pick<SealedCount, 'what' | 'count' | 'until'>[];
  readonly runs: RunsOfKey;
  /** `open`: something goes on under it; `readable`: it is needed to read what has ended; `unused`. */
  readonly needed: 'open' | 'readable' | 'unused';
}

async function list(database: Database, { json }: Options): Promise<ExitCode> {
  const [{ keyId }, { countSealed }, { readKeyUse }, { createTemporalClient }] = await Promise.all([
    import('../temporal/codec.ts'),
    import('../db/sealed-rows.ts'),
    import('../temporal/key-use.ts'),
    import('../temporal/client.ts'),
  ]);
  const payloadKeys = loadPayloadKeys();
  const configured = payloadKeys.map(keyId);
  const temporal = createTemporalClient(loadTemporal(), { payloadKeys });
  try {
    const stored = await countSealed(database);
    const inTemporal = await readKeyUse(temporal, progress);
    const ids = [...new Set([...configured, ...stored.flatMap(({ key }) => key ?? []), ...inTemporal.keys()])];
    const keys = ids.map((key) => {
      const place = configured.indexOf(key);
      const rows = stored.filter((one) => one.key === key);
      return reportOf(
        key,
        place < 0 ? null : place + 1,
        rows,
        inTemporal.get(key) ?? { open: 0, closed: 0, examples: [] },
      );
    });
    if (json) console.log(JSON.stringify({ keys }));
    else console.log(keys.map(lineOf).join('\n'));
    return keys.some(({ needed, place }) => place === null && needed === 'open') ? exitCodes.failed : exitCodes.done;
  } finally {
    await temporal.close();
  }
}

function progress(read: number): void {
  if (read % 1_000 === 0) console.error(`${read} histories read`);
}

function reportOf(key: string, place: number | null, rows: readonly SealedCount[], runs: RunsOfKey): KeyReport {
  const stored = rows.map(({ what, count, until }) => ({ what, count, until }));
  const isOpen = place === 1 || runs.open > 0 || stored.some(({ until }) => until === null);
  const needed = isOpen ? 'open' : runs.closed > 0 || stored.length > 0 ? 'readable' : 'unused';
  return { key, place, stored, runs, needed };
}

function lineOf({ key, needed, place, runs, stored }: KeyReport): string {
  const at = place === null ? 'NOT CONFIGURED' : place === 1 ? 'encrypts' : 'decrypts';
  const says = {
    open: 'needed',
    readable: 'needed only to read what has ended: it may go when nobody wants to look at that any more',
    unused: 'not needed: take it out of TENANTRY_PAYLOAD_KEY',
  }[needed];
  const rows = stored.map(
    ({ what, count, until }) => `${count} x ${what}${until === null ? '' : ` until ${until.toISOString()}`}`,
  );
  const examples = runs.examples.length === 0 ? '' : ` (${runs.examples.join(', ')})`;
  const all = [...rows, `${runs.open} open runs${examples}`, `${runs.closed} closed runs`];
  return `${key}  ${at}, ${says}\n  ${all.join('; ')}`;
}

async function reseal(database: Database, { by = processUser(), json }: Options): Promise<ExitCode> {
  const [{ EncryptionCodec, keyId }, { seal, unseal }, rows, { insertAuditEntry }] = await Promise.all([
    import('../temporal/codec.ts'),
    import('../temporal/sealed.ts'),
    import('../db/sealed-rows.ts'),
    import('../db/audit-entries.ts'),
  ]);
  const payloadKeys = loadPayloadKeys();
  const codec = new EncryptionCodec(payloadKeys);
  const [key = ''] = payloadKeys.map(keyId);
  const kinds: readonly LastingKind[] = ['signing key', 'webhook secret'];
  const resealed = await database.transaction(async (tx) => {
    const counts: Record<string, number> = {};
    for (const what of kinds) {
      const found = await rows.lockSealedOtherwise(tx, what, key);
      for (const { id, sealed } of found)
        await rows.replaceSealed(tx, what, { id, sealed: await seal(codec, await unseal<object>(codec, sealed)) });
      counts[what] = found.length;
    }
    const data = { key, by, ...counts };
    await insertAuditEntry(tx, { action: 'resealSecrets', outcome: 'done', caller: commandCaller(), data });
    return counts;
  });
  if (json) console.log(JSON.stringify({ key, resealed }));
  else console.log(`under ${key} now: ${kinds.map((what) => `${resealed[what] ?? 0} x ${what}`).join(', ')}`);
  return exitCodes.done;
}

async function rotate(database: Database, { by = processUser(), json, reason }: Options): Promise<ExitCode> {
  const [{ EncryptionCodec }, { rotateSigningKey }, { insertAuditEntry }] = await Promise.all([
    import('../temporal/codec.ts'),
    import('../certificates/signing-keys.ts'),
    import('../db/audit-entries.ts'),
  ]);
  const codec = new EncryptionCodec(loadPayloadKeys());
  const rotated = await database.transaction(async (tx) => {
    const both = await rotateSigningKey(tx, codec);
    const data = { ...both, reason, by };
    await insertAuditEntry(tx, { action: 'rotateSigningKey', outcome: 'done', caller: commandCaller(), data });
    return both;
  });
  if (json) console.log(JSON.stringify(rotated));
  else
    console.log(
      `certificates are signed with ${rotated.now} from now on${rotated.before === undefined ? '' : `; before: ${rotated.before}`}`,
    );
  return exitCodes.done;
}
