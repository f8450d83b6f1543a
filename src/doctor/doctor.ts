import type { Client } from '@temporalio/client';
import { createCellAws } from '../aws/cell-aws.ts';
import { createLandingZone } from '../aws/landing-zone.ts';
import type { Config } from '../config.ts';
import type { Cell } from '../contracts/platform.ts';
import { createDatabase, DatabaseUnavailableError } from '../db/database.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { findNamespace } from '../db/temporal-namespaces.ts';
import { identifyServer, inspectTenantDatabase } from '../db/tenant-database-check.ts';
import { products } from '../products/index.ts';
import { createTemporalClient } from '../temporal/client.ts';
import { lookUpNamespace, namespaceProblem } from '../temporal/namespace.ts';
import { searchAttributeProblems } from '../temporal/search-attributes.ts';
import { checkCell } from './cell-checks.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';
import { checkProducts } from './product-checks.ts';

/** The preflight: everything that the first tenant needs, looked at without changing anything (requirements R-PRE-*). */
export async function examine(config: Config): Promise<Finding[]> {
  const found = await Promise.all([
    look('control database', () => checkControlDatabase(config)),
    look('Temporal', () => checkTemporal(config)),
    ...Object.entries(config.tenantDatabaseUrls).map(([id, url]) =>
      look(`tenant database ${id}`, () => checkTenantDatabase(config, id, url)),
    ),
    ...config.platform.cells.flatMap((cell) => [
      Promise.resolve(checkProducts(cell, products)),
      examineCell(config, cell),
    ]),
  ]);
  return found.flat();
}

async function examineCell(config: Config, cell: Cell): Promise<Finding[]> {
  const aws = createCellAws(cell, { endpointUrl: config.awsEndpointUrl });
  const landingZone = createLandingZone(cell, { endpointUrl: config.awsEndpointUrl });
  try {
    return await checkCell({ cell, aws, landingZone });
  } finally {
    landingZone.destroy();
    aws.destroy();
  }
}

async function checkControlDatabase(config: Config): Promise<Finding> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-doctor' });
  try {
    const pending = await pendingMigrations(database);
    return pending.length === 0
      ? ok('control database', 'reachable, all migrations applied')
      : problem('control database', `lacks ${pending.join(', ')}: run "tenantry migrate"`);
  } finally {
    await database.close();
  }
}

async function checkTemporal(config: Config): Promise<Finding[]> {
  const { client, namespace, close } = createTemporalClient(config.temporal, { payloadKeys: config.payloadKeys });
  try {
    const problems = await client.withDeadline(Date.now() + 10_000, () => searchAttributeProblems(client, namespace));
    if (problems.length > 0) return problems.map((p) => problem('Temporal', p));
    const foreign = await foreignNamespace(config, client, namespace);
    if (foreign !== undefined) return [problem('Temporal', foreign)];
    return [ok('Temporal', `namespace ${namespace} is reachable, its search attributes are registered`)];
  } finally {
    await close();
  }
}

/** A namespace other than the one that holds this database's runs; that the database is away is another finding. */
async function foreignNamespace(config: Config, client: Client, namespace: string): Promise<string | undefined> {
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 1, applicationName: 'tenantry-doctor' });
  try {
    if ((await pendingMigrations(database)).length > 0) return undefined;
    const [tied, seen] = [await findNamespace(database), await lookUpNamespace(client, namespace)];
    return tied && seen && namespaceProblem(tied, seen);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return undefined;
    throw error;
  } finally {
    await database.close();
  }
}

/** R-PRE-06, and: outside the sandbox tenants' schemas do not go on the control plane's own server. */
async function checkTenantDatabase(config: Config, id: string, url: string): Promise<Finding[]> {
  const subject = `tenant database ${id}`;
  const seen = await inspectTenantDatabase(url);
  const findings: Finding[] = [];
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
  if (seen.isSuperuser)
    findings.push(warning(subject, `role ${seen.role} is a superuser; CREATEROLE is enough`, 'R-PRE-06'));
  return findings.length > 0
    ? findings
    : [ok(subject, `reachable as ${seen.role} on ${seen.database}, PostgreSQL ${seen.version}`, 'R-PRE-06')];
}
