import { z } from 'zod';
import { givenRoles, type Caller, type GivenRole } from '../contracts/caller.ts';
import { insertAuditEntry } from './audit-entries.ts';
import { callerJson, json, optionalTime, time, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

const serviceKey = z.object({
  id: uuid,
  name: z.string(),
  role: z.enum(givenRoles),
  /** Of a tenant-admin: those that it may reach; else empty. */
  tenants: z.array(uuid),
  prefix: z.string(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
  /** To the minute; null: never. */
  lastUsedAt: optionalTime,
  revokedAt: optionalTime,
  revokedBy: z.string().nullable(),
  /** By the clock of the database. */
  expired: z.boolean(),
});
/** A key without its secret. */
export type ServiceKeyRow = z.output<typeof serviceKey>;

const columns = `id, name, role, tenants, prefix, created_at as "createdAt", created_by as "createdBy", expires_at as "expiresAt",
  last_used_at as "lastUsedAt", revoked_at as "revokedAt", revoked_by as "revokedBy", expires_at <= now() as expired`;

/** The name belongs to a key that is in force. */
export class KeyNameTakenError extends Error {
  override readonly name = 'KeyNameTakenError';
}

/** Tenants that a key was to reach do not exist. */
export class NoSuchTenantsError extends Error {
  override readonly name = 'NoSuchTenantsError';
}

export interface NewServiceKey {
  readonly name: string;
  readonly role: GivenRole;
  readonly tenants: readonly string[];
  /** SHA-256 of the key. */
  readonly hash: Buffer;
  readonly prefix: string;
  readonly lifetimeMs: number;
  readonly by: string;
  readonly caller: Caller;
}

/** Records a key and who made it. @throws KeyNameTakenError, NoSuchTenantsError */
export function insertServiceKey(db: Database, key: NewServiceKey): Promise<ServiceKeyRow> {
  return db.transaction(async (tx) => {
    await refuseUnknownTenants(tx, key.tenants);
    await tx.query(
      `update service_keys set superseded_at = now()
       where name = $1 and expires_at <= now() and revoked_at is null and superseded_at is null`,
      [key.name],
    );
    const answer = await tx.query(
      `insert into service_keys (name, role, tenants, hash, prefix, created_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond')
       on conflict (name) where revoked_at is null and superseded_at is null do nothing returning ${columns}`,
      [key.name, key.role, key.tenants, key.hash, key.prefix, key.by, key.lifetimeMs],
    );
    const made = rowOf(serviceKey, answer);
    if (!made) throw new KeyNameTakenError(`a key named ${key.name} is in force: revoke it, or take another name`);
    const { role, tenants, prefix, expiresAt } = made;
    const data = { name: key.name, role, tenants, prefix, expiresAt };
    await recordEvent(tx, { keyId: made.id, type: 'created', by: key.by, caller: key.caller, data });
    return made;
  });
}

async function refuseUnknownTenants(tx: Queryable, ids: readonly string[]): Promise<void> {
  const answer = await tx.query(
    'select wanted.id from unnest($1::uuid[]) wanted (id) where not exists (select from tenants t where t.id = wanted.id)',
    [ids],
  );
  const unknown = rowsOf(z.object({ id: uuid }), answer).map(({ id }) => id);
  if (unknown.length > 0) throw new NoSuchTenantsError(`there is no tenant ${unknown.join(', ')}`);
}

/** The key of this hash, whatever became of it. */
export async function findServiceKey(db: Queryable, hash: Buffer): Promise<ServiceKeyRow | undefined> {
  return rowOf(serviceKey, await db.query(`select ${columns} from service_keys where hash = $1`, [hash]));
}

/** Newest first. @param all also those that are no longer in force */
export async function listServiceKeys(db: Queryable, all: boolean): Promise<ServiceKeyRow[]> {
  const answer = await db.query(
    `select ${columns} from service_keys where $1 or (revoked_at is null and expires_at > now()) order by created_at desc, id`,
    [all],
  );
  return rowsOf(serviceKey, answer);
}

/** Keeps that a key was used now, to the minute. A row that another process is writing is left to it. */
export async function markServiceKeyUsed(db: Queryable, id: string): Promise<void> {
  await db.query(
    `update service_keys set last_used_at = now() where id = (
       select id from service_keys where id = $1 and (last_used_at is null or last_used_at <= now() - interval '1 minute')
       for update skip locked)`,
    [id],
  );
}

/** Whose key, by its name or its id, and who ends it. */
export interface Revocation {
  readonly key: string;
  readonly by: string;
  readonly caller: Caller;
}

/** @returns the key and whether this ended it; undefined when there is none of that id, nor of that name that still holds it */
export function revokeServiceKey(
  db: Database,
  { key, by, caller }: Revocation,
): Promise<{ readonly row: ServiceKeyRow; readonly revokedNow: boolean } | undefined> {
  return db.transaction(async (tx) => {
    const found = await tx.query(
      `select ${columns} from service_keys
       where id::text = lower($1) or (name = $1 and revoked_at is null and superseded_at is null) for update`,
      [key],
    );
    const before = rowOf(serviceKey, found);
    if (!before) return undefined;
    if (before.revokedAt) return { row: before, revokedNow: false };
    const answer = await tx.query(
      `update service_keys set revoked_at = now(), revoked_by = $2 where id = $1 returning ${columns}`,
      [before.id, by],
    );
    await recordEvent(tx, { keyId: before.id, type: 'revoked', by, caller, data: { name: before.name } });
    return { row: rowOf(serviceKey, answer) ?? before, revokedNow: true };
  });
}

interface KeyEvent {
  readonly keyId: string;
  readonly type: 'created' | 'revoked';
  readonly by: string;
  readonly caller: Caller;
  readonly data: Readonly<Record<string, unknown>>;
}

async function recordEvent(tx: Queryable, { keyId, type, by, caller, data }: KeyEvent): Promise<void> {
  await tx.query('insert into service_key_events (key_id, type, by, caller, data) values ($1, $2, $3, $4, $5)', [
    keyId,
    type,
    by,
    callerJson(caller),
    json(data),
  ]);
  const action = type === 'created' ? 'createKey' : 'revokeKey';
  await insertAuditEntry(tx, { action, outcome: 'done', caller, data: { keyId, by, ...data } });
}
