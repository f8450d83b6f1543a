import { z } from 'zod';
import type { Inspection } from '../../db/tenant-databases.ts';
import { tenantMigrationFiles } from '../../db/tenant-migrations.ts';
import type { SchemaKey } from '../../db/tenant-schema-key.ts';
import { schemaName } from '../../naming.ts';
import { StepError } from '../../contracts/step-error.ts';
import { lostTags, missingThing } from '../framework/differences.ts';
import type { Kind, StepContext } from '../framework/kind.ts';
import type { NotOurs } from '../framework/ownership.ts';
import { text } from '../framework/values.ts';
import { schemaDifferences, sessionDifferences } from './differences.ts';
import { secretType } from './secret-type.ts';
import { deletedSecret, ensurePassword, findOwnSecret, foreignSecret, removeSecret, secretOf } from './secret.ts';
import { roleType, schemaType } from './type.ts';

const spec = z.strictObject({
  database: text,
  // The name of the product that brings them.
  migrations: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  connectionLimit: z.int().min(1).max(1000),
});
const outputs = z.strictObject({
  schema: z.string(),
  role: z.string(),
  secretArn: z.string(),
  host: z.string(),
  port: z.number(),
  database: z.string(),
});

type SchemaSpec = z.output<typeof spec>;
type SchemaOutputs = z.output<typeof outputs>;
type SchemaTypes = 'secretsmanager:secret' | 'postgres:schema' | 'postgres:role';
type Context = StepContext<SchemaSpec, SchemaOutputs>;

/**
 * Schema and login role of a tenant (requirement U-19), the password in Secrets Manager only. The secret comes first:
 * whatever happens after it, the password that the role gets is the one that is stored.
 */
export const postgresSchema: Kind<SchemaSpec, SchemaOutputs, SchemaTypes> = {
  name: 'postgres-schema',
  spec,
  outputs,
  changeable: ['connectionLimit'],
  types: { 'postgres:schema': schemaType, 'postgres:role': roleType, 'secretsmanager:secret': secretType },
  permissions: [
    'secretsmanager:DescribeSecret',
    'secretsmanager:CreateSecret',
    'secretsmanager:TagResource',
    'secretsmanager:GetSecretValue',
    'secretsmanager:RestoreSecret',
    'secretsmanager:DeleteSecret',
  ],
  holdsData: true,
  residues: [deletedSecret],
  // Tenant migrations, the final dump and DROP SCHEMA take as long as they take; heartbeats show that the worker lives.
  limits: {
    ensure: { startToCloseMs: 15 * 60_000, heartbeatMs: 10_000 },
    remove: { startToCloseMs: 6 * 60 * 60_000, heartbeatMs: 10_000 },
  },
  inCell: ({ database }, within) => within.database(database),
  checkFiles({ migrations }, folders) {
    tenantMigrationFiles(folders, migrations);
  },
  physicalNames: ({ database }) => [{ type: 'postgres:schema', name: database }],
  resources: (context) => [
    { type: 'secretsmanager:secret', name: secretOf(context, context.stepId) },
    ...inDatabase(context),
  ],

  fingerprint({ cell, spec, tenantDatabases }) {
    const database = cell.tenantDatabases.find(({ id }) => id === spec.database) ?? null;
    return Promise.resolve(JSON.stringify([database, tenantDatabases.migrationsOf(spec.migrations)]));
  },

  async ensure(context) {
    const { spec, tenantDatabases, cell } = context;
    const key = keyOf(context);
    const database = cell.tenantDatabases.find((d) => d.id === spec.database);
    if (!database) throw new StepError('OUTSIDE_CELL', `cell "${cell.id}" has no tenants' database "${spec.database}"`);
    const secret = secretOf(context, context.stepId);
    const { arn, password } = await ensurePassword(context, secret);
    const { connectionLimit } = spec;
    const madeRole = await tenantDatabases.ensureRole(key, { password, connectionLimit }, context.guard);
    const [role, schema] = inDatabase(context);
    await context.made([{ type: 'secretsmanager:secret', name: secret }, role]);
    const madeSchema = await tenantDatabases.ensureSchema(key, context.guard);
    await context.made([schema]);
    // Migrations have no way back; what was applied has run.
    if (!context.goesBack) await migrateTenant(context, key, password);
    const { host, port, name } = database;
    return {
      status: 'ready',
      outputs: { schema: key.name, role: key.name, secretArn: arn, host, port, database: name },
      physicalIds: { [secret]: arn },
      anew: [...(madeRole.created ? [role] : []), ...(madeSchema.created ? [schema] : [])],
    };
  },

  async observe(context) {
    const { role, schema, renamed } = await context.tenantDatabases.inspect(keyOf(context));
    const name = secretOf(context, context.stepId);
    const secret = (await findOwnSecret(context, name)) !== undefined;
    const seen = [`role ${role}`, `schema ${schema}`, `secret ${secret ? 'present' : 'absent'}`];
    const detail = [...seen, ...renamed.map(({ what, name }) => `${what} ${name} bears its mark`)].join(', ');
    const parts = [role === 'ours', schema === 'ours', secret];
    if (parts.every(Boolean)) return { status: 'ready', detail };
    const others = await context.notOurs([
      ...foreignIn(context, { role, schema, renamed }),
      ...(secret ? [] : await foreignSecret(context, name)),
    ]);
    const isGone = schema === 'absent' && !renamed.some(({ what }) => what === 'schema');
    const missing = inDatabase(context).filter(({ type }) => isGone && type === 'postgres:schema');
    return parts.some(Boolean) || renamed.length > 0
      ? { status: 'pending', detail, missing }
      : { status: 'absent', detail, others };
  },

  async differs(context) {
    const { aws, spec, tags, tenantDatabases } = context;
    const key = keyOf(context);
    const secret = await aws.secrets.findSecret(secretOf(context, context.stepId));
    const inspection = await tenantDatabases.inspect(key);
    const role = inspection.role === 'ours' ? await tenantDatabases.findRole(key) : undefined;
    const { connectionLimit } = spec;
    const found = schemaDifferences({ name: key.name, connectionLimit, inspection, role });
    if (!secret || secret.deletionDate !== undefined)
      return [...found, missingThing('secretsmanager:secret', secretOf(context, context.stepId))];
    const lost = lostTags(tags, secret.tags);
    if (lost.length > 0 || role?.canLogin !== true || inspection.schema !== 'ours') return [...found, ...lost];
    const login = { password: await aws.secrets.readSecret(secret.arn), set: spec.migrations };
    return [...found, ...sessionDifferences(await tenantDatabases.tryTenant(key, login))];
  },

  dump: (context, sink) => context.tenantDatabases.dumpSchema(keyOf(context), sink, context.guard),

  async remove(context) {
    // Before anything goes: where the role has lost its mark, its schema may be somebody else's by now as well.
    const others = await context.notOurs(foreignIn(context, await context.tenantDatabases.inspect(keyOf(context))));
    await context.tenantDatabases.dropSchemaAndRole(keyOf(context), context.guard);
    await context.gone(inDatabase(context));
    const name = secretOf(context, context.stepId);
    const residue = await removeSecret(context, name);
    if (!residue)
      return { status: 'removed', missing: true, others: await context.notOurs(await foreignSecret(context, name)) };
    return { status: 'removed', others, residues: [residue] };
  },
};

function inDatabase({ tenant }: Context) {
  const name = schemaName(tenant.id);
  return [
    { type: 'postgres:role', name },
    { type: 'postgres:schema', name },
  ] as const;
}

/** Role and schema of the name that do not bear this tenant's mark, and may be what was made: that one has no other name. */
function foreignIn(context: Context, { role, schema, renamed }: Inspection): NotOurs[] {
  const physicalId = `${context.spec.database}/${schemaName(context.tenant.id)}`;
  const seen: Readonly<Record<string, Inspection['role']>> = { 'postgres:role': role, 'postgres:schema': schema };
  return inDatabase(context)
    .filter(({ type }) => seen[type] === 'foreign' && !renamed.some(({ what }) => type === `postgres:${what}`))
    .map((resource) => ({ ...resource, physicalId, mark: "its comment is not this tenant's mark" }));
}

function keyOf({ spec, tenant, installationId, operation, stepId }: Context): SchemaKey {
  return {
    database: spec.database,
    name: schemaName(tenant.id),
    ownership: { installationId, tenantId: tenant.id, product: tenant.product, operationId: operation.id, stepId },
  };
}

/** Under a lock of the control plane's database: in its own a tenant could hold it. */
async function migrateTenant(context: Context, key: SchemaKey, password: string): Promise<void> {
  const { db, spec, tenant, guard, tenantDatabases } = context;
  const ran = await db.withLock(`tenant migrations ${tenant.id}`, (lost) =>
    tenantDatabases.runTenantMigrations({
      ...key,
      password,
      set: spec.migrations,
      guard: async () => {
        if (lost.aborted) throw lockLost(key);
        await guard();
      },
    }),
  );
  if (!ran) throw new StepError('CONFLICT_RETRYABLE', `another attempt migrates schema "${key.name}" at this moment`);
}

function lockLost(key: SchemaKey): StepError {
  return new StepError('CONFLICT_RETRYABLE', `the lock for migrating schema "${key.name}" was lost`);
}
