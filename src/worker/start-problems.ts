import type { Logger } from 'pino';
import type { Catalog } from '../catalog/catalog.ts';
import { lackingProblems, sourceOf } from '../catalog/lacking.ts';
import { lostCellProblems } from '../lost-cells.ts';
import { StepError } from '../contracts/step-error.ts';
import type { PlatformAws } from '../aws/cell-aws.ts';
import { findCaller, isUnanswered, type CallerRetry } from '../aws/sts.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from '../db/database.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { lookUpOwn } from './own-namespace.ts';
import { findForeignNamespace } from '../temporal/namespace.ts';
import { searchAttributeProblems } from '../temporal/search-attributes.ts';
import type { TemporalClient } from '../temporal/client.ts';

/** The worker cannot do its work as things are; lists everything that is in its way. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The worker cannot start:\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

export interface StartChecks {
  readonly database: Database;
  readonly temporal: TemporalClient;
  readonly aws: PlatformAws;
  readonly platform: Platform;
  readonly catalog: Catalog;
  /** Where the catalog comes from; undefined: it is what comes with Tenantry. */
  readonly catalogFile?: string | undefined;
  readonly log?: Pick<Logger, 'warn'>;
  /** Ends the waiting. */
  readonly stop?: AbortSignal;
  /** Whether the environment names a source of AWS credentials. Without one there is nothing to wait for. */
  readonly awsCredentialsNamed?: boolean;
}

/** Looks at all that every run will need, before the first task is taken. Each problem is a sentence. */
export async function startProblems(checks: StartChecks): Promise<string[]> {
  const found = await Promise.all([
    serverProblems(checks),
    ...checks.platform.cells.map((cell) => credentialProblems(checks, cell.id, cell.accountId)),
  ]);
  return found.flat();
}

/** Which Temporal is the right one, the database knows. */
async function serverProblems({ database, temporal, ...known }: StartChecks): Promise<string[]> {
  const found = await databaseProblems(database, known);
  return [...found, ...(await temporalProblems(temporal, found.length === 0 ? database : undefined))];
}

async function databaseProblems(
  database: Database,
  { catalog, catalogFile, platform }: Pick<StartChecks, 'catalog' | 'catalogFile' | 'platform'>,
): Promise<string[]> {
  try {
    const wrong = (await database.sessionProblems()).map((said) => `DATABASE_URL: ${said}`);
    const pending = await pendingMigrations(database);
    if (pending.length > 0) return [...wrong, `the database lacks ${pending.join(', ')}: run "tenantry migrate"`];
    const lacking = await lackingProblems(database, catalog);
    const lost = await lostCellProblems(database, platform);
    return [
      ...wrong,
      ...lacking.map((said) => `${said} (from ${sourceOf(catalogFile)}): correct TENANTRY_CONFIG`),
      ...lost.map((said) => `PLATFORM_CONFIG: ${said}`),
    ];
  } catch (error) {
    return [`DATABASE_URL: ${messageOf(error)}`];
  }
}

async function temporalProblems(temporal: TemporalClient, database: Database | undefined): Promise<string[]> {
  const { client, namespace } = temporal;
  try {
    const foreign = database && (await findForeignNamespace(database, () => lookUpOwn(temporal)));
    // What a namespace lacks that is not to be used is beside the point.
    if (foreign !== undefined) return [foreign];
    return await client.withDeadline(Date.now() + 30_000, () => searchAttributeProblems(client, namespace));
  } catch (error) {
    return [`Temporal cannot be used: ${messageOf(error)}`];
  }
}

async function credentialProblems(checks: StartChecks, cellId: string, accountId: string): Promise<string[]> {
  try {
    const identity = await findCaller(checks.aws(cellId).identity, callerRetryOf(checks, cellId));
    if (identity.accountId === accountId) return [];
    return [
      `cell "${cellId}" is account ${accountId}, but the AWS credentials are of account ${identity.accountId} (${identity.arn})`,
    ];
  } catch (error) {
    const code = error instanceof StepError ? `${error.code}: ` : '';
    const source = checks.awsCredentialsNamed === false ? '; the environment names no source of credentials' : '';
    if (isUnanswered(error))
      return [
        `AWS does not answer for cell "${cellId}", so its credentials are not known to be good: ${code}${messageOf(error)}`,
      ];
    return [`no usable AWS credentials for cell "${cellId}": ${code}${messageOf(error)}${source}`];
  }
}

/** Where the environment names none, only a default profile or an instance's role can give credentials, and soon. */
function callerRetryOf({ log, stop: signal, awsCredentialsNamed }: StartChecks, cell: string): CallerRetry {
  const forMs = awsCredentialsNamed === false ? UNNAMED_RETRY_MS : CALLER_RETRY_MS;
  const onWait = (reason: string) =>
    log?.warn(
      { cell, reason },
      `AWS did not say who the worker is in cell "${cell}"; tried again for ${forMs / 1_000} s`,
    );
  return { forMs, everyMs: 2_000, signal, onWait };
}

const CALLER_RETRY_MS = 60_000;
const UNNAMED_RETRY_MS = 6_000;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
