import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { listSettingsHistory, type SettingsHistoryRow } from '../db/settings.ts';
import { invalid } from './invalid-input.ts';
import { tenantTag } from './precondition.ts';
import { existingTenant } from './reading.ts';
import type { SettingsVersionView } from './views.ts';

/** @property tag of what is desired now, as {@link tenantTag} */
export interface SettingsHistoryView {
  readonly history: SettingsVersionView[];
  readonly nextCursor: string | null;
  readonly tag: string;
}

/** A page of what was chosen for a tenant, newest first. @throws RequestError TENANT_NOT_FOUND, INVALID_INPUT */
export async function readSettingsHistory(
  db: Pick<Database, 'snapshot'>,
  tenantId: string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<SettingsHistoryView> {
  const beforeVersion = cursor === undefined ? undefined : versionIn(cursor);
  return db.snapshot(async (at) => {
    const tag = tenantTag(await existingTenant(at, tenantId));
    const rows = await listSettingsHistory(at, tenantId, { limit: limit + 1, beforeVersion });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { tag, history: page.map(viewOf), nextCursor: last && rows.length > limit ? cursorAfter(last) : null };
  });
}

function viewOf({ operation, at, ...row }: SettingsHistoryRow): SettingsVersionView {
  return {
    ...row,
    operation: operation && { operationId: operation.id, type: operation.type, state: operation.state },
    at: at.toISOString(),
  };
}

function cursorAfter({ version }: SettingsHistoryRow): string {
  return Buffer.from(JSON.stringify([version])).toString('base64url');
}

const cursorShape = z.tuple([z.int().min(1).max(2_147_483_647)]);

function versionIn(cursor: string): number {
  try {
    return cursorShape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))[0];
  } catch {
    throw invalid([
      { field: 'querystring.cursor', problem: 'the cursor is not one that a page of settings ended with' },
    ]);
  }
}
