import type { Client } from '@temporalio/client';
import { createCellAws, type CellAws } from '../aws/cell-aws.ts';
import { createPacing } from '../aws/pacing.ts';
import { createLandingZone } from '../aws/landing-zone.ts';
import { lackingProblems, sourceOf } from '../catalog/lacking.ts';
import { loadCatalog } from '../catalog/load.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { checkWorkers } from '../client/readiness.ts';
import { temporalOrchestrator } from '../client/temporal-orchestrator.ts';
import type { Config } from '../config.ts';
import type { Cell } from '../contracts/platform.ts';
import { isInOrder, type MarkVerdict } from '../contracts/sweep.ts';
import { listLoadBalancerShares } from '../db/allocations.ts';
import { createDatabase, DatabaseUnavailableError, type Database } from '../db/database.ts';
import { listFreezes } from '../db/freezes.ts';
import { findInstallationId } from '../db/installation.ts';
import { sharedTokens } from '../db/rate-buckets.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { identifyServer, inspectTenantDatabase, provisionerProblems } from '../db/tenant-database-check.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { EncryptionCodec } from '../temporal/codec.ts';
import { checkMark } from '../sweep/ledger-mark.ts';
import { findForeignNamespace, lookUpNamespace } from '../temporal/namespace.ts';
import { searchAttributeProblems } from '../temporal/search-attributes.ts';
import { checkCell } from './cell-checks.ts';
import { measureLag } from '../db/projections.ts';
import { checkAccounts } from './account-checks.ts';
import { checkArchive } from './archive-checks.ts';
import { checkParameters } from './parameter-checks.ts';
import { checkProjection } from './projection-checks.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';
import { checkUse } from './use-checks.ts';
import { checkRoom, type RoomParts } from './room-checks.ts';
import { checkProducts, checkSwitches } from './product-checks.ts';
import { checkWebhooks } from './webhook-checks.ts';

/** The preflight: everything that the first tenant needs, looked at without changing anything (requirements R-PRE-*). */
export async function examine(config: Config): Promise<Finding[]> {
  const catalog = await loadCatalog(config.catalogFile);
  const found = await Promise.all([
    look('control database', () => checkControlDatabase(config)),
    look('products and kinds', () => checkCatalog(config, catalog)),
    look('cells', () => withControlDatabase(config, (database) => checkUse(database, config.platform))),
    look('freezes', () => checkFreezes(config)),
    look('webhooks', () => checkWebhooksOf(config)),
    look('Temporal', () => checkTemporal(config)),
    ...Object.entries(config.tenantDatabaseUrls).map(([id, url]) =>
      look(`tenant database ${id}`, () => checkTenantDatabase(config, id, url)),
    ),
    ...config.platform.cells.flatMap((cell) => [
      Promise.resolve([...checkProducts(cell, catalog), ...checkSwitches(cell, catalog, config.switchedOff)]),
      examineCell(config, catalog, cell),
    ]),
  ]);
  return found.flat();
}

async function examineCell(config: Config, catalog: Catalog, cell: Cell): Promise<Finding[]> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-doctor' });
  const pacing = createPacing({ lease: sharedTokens(database) });
  const aws = createCellAws(cell, { endpointUrl: config.awsEndpointUrl, pacing });
  const landingZone = createLandingZone(cell, { endpointUrl: config.awsEndpointUrl, pacing });
  try {
    const found = await checkCell({ cell, aws, landingZone, catalog });
    // Without usable credentials there is nothing to ask about.
    const reachable = !found.every((finding) => finding.verdict === 'problem');
    if (!reachable) return found;
    const room = await look(`cell ${cell.id}: room for tenants`, () =>
      checkRoomOf(config, { cell, catalog, landingZone }),
    );
    const projection = await checkProjectionOf(config, cell, aws);
    const archive = await checkArchive(cell, aws.objects);
    const mark = await checkMarkOf(config, cell, aws);
    const parameters = await checkParameters(cell, aws.parameters);
    const accounts = await checkAccounts({ cell, catalog, aws });
    return [...found, ...room, ...projection, ...archive, ...mark, ...parameters, ...accounts];
  } finally {
    landingZone.destroy();
    aws.destroy();
    await database.close();
  }
}

function checkFreezes(config: Config): Promise<Finding[]> {
  return withControlDatabase(config, async (database) =>
    (await listFreezes(database)).map(({ id, product, cell, reason, caller, at }) =>
      warning(
        `freeze of ${product ?? 'every product'} in ${cell ?? 'every cell'}`,
        `no operation is accepted since ${at.toISOString()}, by ${caller.principal}: ${reason}; tenantry freeze lift ${id}`,
      ),
    ),
  );
}

function checkWebhooksOf(config: Config): Promise<Finding[]> {
  const codec = new EncryptionCodec(config.payloadKeys);
  return withControlDatabase(config, (database) => checkWebhooks(database, codec));
}

function checkRoomOf(config: Config, parts: Omit<RoomParts, 'reserved'>): Promise<Finding[]> {
  const arns = parts.cell.loadBalancers.map(({ arn }) => arn);
  return withControlDatabase(config, async (database) =>
    checkRoom({ ...parts, reserved: await listLoadBalancerShares(database, arns) }),
  );
}

async function checkProjectionOf(config: Config, cell: Cell, aws: CellAws): Promise<Finding[]> {
  if (!cell.projection) return [];
  const [lag] = await withControlDatabase(config, (database) => measureLag(database, [cell.id]));
  return checkProjection({ cell, tables: aws.tables, lag });
}

/** The sweep removes nothing of a cell whose mark of the ledger it cannot read, or that says another ledger was there. */
async function checkMarkOf(config: Config, cell: Cell, aws: CellAws): Promise<Finding[]> {
  const subject = `cell ${cell.id}: the sweep's mark of the ledger`;
  return withControlDatabase(config, async (database) => {
    const deps = { database, installationId: await findInstallationId(database), aws: () => aws };
    const mark = await checkMark(deps, cell.id);
    return [isInOrder(mark) ? ok(subject, orderOf(mark)) : problem(subject, `${mark.detail}${remedyFor(mark)}`)];
  });
}

function orderOf({ state, detail }: MarkVerdict): string {
  return state === 'intact'
    ? `this database is the one that the mark was made from, and not an older copy: the sweep may remove what is approved (${detail})`
    : `none was made yet: the first sweep report that lists everything makes it; until then the sweep removes nothing (${detail})`;
}

function remedyFor({ state }: MarkVerdict): string {
  const rights = state === 'unreachable' ? '; it needs ssm:GetParameter and ssm:PutParameter' : '';
  const page = state === 'broken' ? 'ledger-older-than-mark' : 'ledger-mark-stands-still';
  return `${rights}. Until then the sweep removes nothing: docs/runbook.md#${page}`;
}

/** What `look` finds in a control database that is up to date; nothing when it is not: that is another finding. */
async function withControlDatabase<T>(config: Config, look: (database: Database) => Promise<T[]>): Promise<T[]> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-doctor' });
  try {
    return (await pendingMigrations(database)).length > 0 ? [] : await look(database);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return [];
    throw error;
  } finally {
    await database.close();
  }
}

async function checkControlDatabase(config: Config): Promise<Finding[]> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-doctor' });
  try {
    const subject = 'control database';
    const problems = (await database.sessionProblems()).map((said) => problem(subject, said));
    const pending = await pendingMigrations(database);
    if (pending.length > 0) problems.push(problem(subject, `lacks ${pending.join(', ')}: run "tenantry migrate"`));
    return problems.length > 0 ? problems : [ok(subject, 'reachable, all migrations applied')];
  } finally {
    await database.close();
  }
}

/** A worker that lacks what a tenant is made of can neither change nor remove it, and does not start. */
function checkCatalog(config: Config, catalog: Catalog): Promise<Finding[]> {
  const subject = 'products and kinds';
  const from = sourceOf(config.catalogFile);
  return withControlDatabase(config, async (database) => {
    const lacking = await lackingProblems(database, catalog);
    if (lacking.length === 0) return [ok(subject, `every tenant is of what is loaded (from ${from})`)];
    return lacking.map((said) => problem(subject, `${said} (from ${from}): no worker starts; correct TENANTRY_CONFIG`));
  });
}

async function checkTemporal(config: Config): Promise<Finding[]> {
  const { client, namespace, close } = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  try {
    const lookUp = () => client.withDeadline(Date.now() + 10_000, () => lookUpNamespace(client, namespace));
    const [foreign] = await withControlDatabase(config, async (db) => [await findForeignNamespace(db, lookUp)]);
    if (foreign !== undefined) return [problem('Temporal', foreign)];
    const problems = await client.withDeadline(Date.now() + 10_000, () => searchAttributeProblems(client, namespace));
    if (problems.length > 0) return problems.map((p) => problem('Temporal', p));
    const said = `namespace ${namespace} is reachable, its search attributes are registered`;
    const workers = await withControlDatabase(config, async (db) => [await workersFinding(db, client)]);
    return [ok('Temporal', said), ...workers];
  } finally {
    await close();
  }
}

/** A warning only: the doctor is asked before the first worker starts, too. */
async function workersFinding(db: Database, client: Client): Promise<Finding> {
  const { ok: isOk, detail } = await checkWorkers(db, temporalOrchestrator(client));
  if (isOk) return ok('workers', detail);
  return warning('workers', `${detail}: \`tenantry worker\` starts one; until then tenants wait`);
}

/** PostgreSQL sets no limit that was reached at 14,000; what a tenant's role costs grows with their number. */
const MANY_TENANTS = 10_000;

/** R-PRE-06, and: outside the sandbox tenants' schemas do not go on the control plane's own server. */
async function checkTenantDatabase(config: Config, id: string, url: string): Promise<Finding[]> {
  const subject = `tenant database ${id}`;
  const seen = await inspectTenantDatabase(url);
  const findings = (await provisionerProblems(url)).map((said) => problem(subject, said, 'R-PRE-06'));
  const sandboxed = config.platform.cells
    .filter((c) => c.tenantDatabases.some((d) => d.id === id))
    .every((c) => c.environment === 'sandbox');
  if (!sandboxed && seen.server === (await identifyServer(config.databaseUrl))) {
    findings.push(
      problem(
        subject,
        "is on the control plane's own server: a tenant's load would stop the control plane; give it another",
        'R-PRE-06',
      ),
    );
  }
  if (!seen.mayCreateRoles)
    findings.push(problem(subject, `role ${seen.role} may not create roles: it needs CREATEROLE`, 'R-PRE-06'));
  if (!seen.mayCreateSchemas)
    findings.push(problem(subject, `role ${seen.role} may not create schemas in ${seen.database}`, 'R-PRE-06'));
  if (!seen.isOwner)
    findings.push(
      problem(
        subject,
        `role ${seen.role} does not own ${seen.database}: it cannot close it to PUBLIC, and let tenants in; run ALTER DATABASE ${seen.database} OWNER TO ${seen.role}`,
        'R-PRE-06',
      ),
    );
  if (seen.rolesWithRights > MANY_TENANTS)
    findings.push(
      warning(
        subject,
        `${seen.rolesWithRights} roles have rights on ${seen.database}: each new tenant rewrites that list, which takes longer and longer; give new tenants another database`,
        'R-PRE-06',
      ),
    );
  if (seen.isSuperuser)
    findings.push(warning(subject, `role ${seen.role} is a superuser; CREATEROLE is enough`, 'R-PRE-06'));
  return findings.length > 0
    ? findings
    : [ok(subject, `reachable as ${seen.role} on ${seen.database}, PostgreSQL ${seen.version}`, 'R-PRE-06')];
}
