import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { tenantModes, type Settings, type TenantMode } from '../contracts/settings.ts';
import { madeTrue } from './applied.ts';
import { caller, callerJson, json, operationState, operationType, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

/** The column of settings. */
export const settingsColumn: z.ZodType<Settings> = z.record(z.string(), z.unknown());

const settingsRow = z.object({
  version: z.number(),
  settings: settingsColumn,
  mode: z.enum(tenantModes),
  credentials: z.number(),
  /** Null: it took effect at once, nothing had to be made or changed for it. */
  operationId: uuid.nullable(),
  caller: caller.nullable(),
  at: time,
});
/** What somebody chose for a tenant. */
export type SettingsRow = z.output<typeof settingsRow>;

const columns = `version, settings, mode, credentials, operation_id as "operationId", caller, at`;

export interface NewSettings {
  readonly tenantId: string;
  readonly settings: Settings;
  readonly mode: TenantMode;
  /** Which of its credentials its services use; default: the first. */
  readonly credentials?: number | undefined;
  /** What carries them out; undefined: they take effect at once. */
  readonly operationId: string | undefined;
  readonly caller: Caller;
}

/** Records the settings that a new tenant was asked for with: version 1. */
export async function recordFirstSettings(tx: Queryable, first: NewSettings): Promise<void> {
  await insertVersion(tx, 1, first);
}

/** Makes settings the desired ones of a tenant, whose row is locked, and the ones that their operation carries out. */
export async function changeSettings(tx: Queryable, next: NewSettings): Promise<number> {
  const { tenantId, settings, credentials = 1, operationId } = next;
  const answer = await tx.query(
    `select greatest(t.settings_version, (select max(version) from tenant_settings where tenant_id = t.id)) + 1 as version
     from tenants t where t.id = $1`,
    [tenantId],
  );
  const { version } = z.object({ version: z.number() }).parse(answer.rows[0]);
  await insertVersion(tx, version, next);
  await tx.query('update tenants set settings = $2, settings_version = $3, credentials = $4 where id = $1', [
    tenantId,
    json(settings),
    version,
    credentials,
  ]);
  await tx.query('update operations set settings_version = $2 where id = $1', [operationId ?? null, version]);
  return version;
}

async function insertVersion(tx: Queryable, version: number, given: NewSettings): Promise<void> {
  const { tenantId, settings, mode, credentials = 1, operationId, caller: by } = given;
  await tx.query(
    `insert into tenant_settings (tenant_id, version, settings, mode, credentials, operation_id, caller)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [tenantId, version, json(settings), mode, credentials, operationId ?? null, callerJson(by)],
  );
}

/** The mode that a tenant is desired to be in. */
export async function findDesiredMode(db: Queryable, tenantId: string): Promise<TenantMode> {
  const answer = await db.query(
    `select s.mode from tenants t join tenant_settings s on s.tenant_id = t.id and s.version = t.settings_version
     where t.id = $1`,
    [tenantId],
  );
  return rowOf(z.object({ mode: z.enum(tenantModes) }), answer)?.mode ?? 'active';
}

/** Every choice that was made for a tenant, newest first; a tenant of an earlier release has none. */
export async function listSettings(db: Queryable, tenantId: string): Promise<SettingsRow[]> {
  return rowsOf(
    settingsRow,
    await db.query(`select ${columns} from tenant_settings where tenant_id = $1 order by version desc`, [tenantId]),
  );
}

const choice = { version: z.number(), settings: settingsColumn, mode: z.enum(tenantModes), credentials: z.number() };
const historyRow = z.object({
  ...choice,
  /** What was desired when it was chosen; null: it is the first. */
  before: z.object(choice).nullable(),
  /** What carries it out; null: it took effect at once. */
  operation: z.object({ id: uuid, type: operationType, state: operationState }).nullable(),
  caller: caller.nullable(),
  at: time,
});
/** What somebody chose for a tenant, and what that changed. */
export type SettingsHistoryRow = z.output<typeof historyRow>;

/**
 * Choices that were made for a tenant, newest first. What was desired before one is the newest choice before it that was carried out:
 * one that failed was taken back.
 * @param beforeVersion only earlier ones
 */
export async function listSettingsHistory(
  db: Queryable,
  tenantId: string,
  { limit, beforeVersion }: { readonly limit: number; readonly beforeVersion: number | undefined },
): Promise<SettingsHistoryRow[]> {
  const answer = await db.query(
    `select s.version, s.settings, s.mode, s.credentials, s.caller, s.at, before.choice as before,
       case when o.id is not null then jsonb_build_object('id', o.id, 'type', o.type, 'state', o.state) end as operation
     from tenant_settings s left join operations o on o.id = s.operation_id
     left join lateral (
       select jsonb_build_object('version', b.version, 'settings', b.settings, 'mode', b.mode, 'credentials', b.credentials) as choice
       from tenant_settings b left join operations bo on bo.id = b.operation_id
       where b.tenant_id = s.tenant_id and b.version < s.version and (b.operation_id is null or ${madeTrue('bo')})
       order by b.version desc limit 1
     ) before on true
     where s.tenant_id = $1 and ($2::int is null or s.version < $2) order by s.version desc limit $3`,
    [tenantId, beforeVersion ?? null, limit],
  );
  return rowsOf(historyRow, answer);
}

/**
 * Makes the applied settings the desired ones again, when the operation that was to carry others out ends without success. To be
 * called in the transaction that closes it. A tenant that never had any applied keeps what was asked for.
 */
export async function restoreDesiredSettings(
  tx: Queryable,
  operation: { readonly id: string; readonly tenantId: string },
): Promise<void> {
  await tx.query(
    `with failed as (
       select version from tenant_settings where tenant_id = $1 and operation_id = $2 and version > 1
     ), applied as (
       select s.version, s.settings, s.credentials from tenant_settings s left join operations o on o.id = s.operation_id
       where s.tenant_id = $1 and (s.operation_id is null or ${madeTrue('o')})
       union all select 0, '{}', 1
       order by version desc limit 1
     )
     update tenants t set settings = applied.settings, settings_version = greatest(applied.version, 1), credentials = applied.credentials
     from failed, applied where t.id = $1 and t.settings_version = failed.version`,
    [operation.tenantId, operation.id],
  );
  await restoreDetails(tx, operation);
}

/** What those settings said of the tenant's details, as the event of that change has it. */
async function restoreDetails(
  tx: Queryable,
  { id, tenantId }: { readonly id: string; readonly tenantId: string },
): Promise<void> {
  await tx.query(
    `update tenants t set display_name = coalesce(e.data #>> '{displayName,from}', t.display_name),
       contact_email = coalesce(e.data #>> '{contactEmail,from}', t.contact_email)
     from events e where t.id = $1 and e.tenant_id = $1 and e.operation_id = $2 and e.type = 'tenant.details'`,
    [tenantId, id],
  );
}
