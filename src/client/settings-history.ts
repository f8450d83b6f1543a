import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { listSettingsHistory, type SettingsHistoryRow } from '../db/settings.ts';
import { cursorAfter, positionIn } from '../db/page-cursor.ts';
import { refusingCursors } from './paging.ts';
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
  const list = { of: 'settings', given: { tenantId } };
  return refusingCursors(() =>
    db.snapshot(async (at) => {
      const [beforeVersion] = cursor === undefined ? [] : positionIn(list, cursor, position);
      const tag = tenantTag(await existingTenant(at, tenantId));
      const rows = await listSettingsHistory(at, tenantId, { limit: limit + 1, beforeVersion });
      const page = rows.slice(0, limit);
      const last = rows.length > limit ? page.at(-1) : undefined;
      return { tag, history: page.map(viewOf), nextCursor: last ? cursorAfter(list, [last.version]) : null };
    }),
  );
}

const position = z.tuple([z.int().min(1).max(2_147_483_647)]);

function viewOf({ operation, at, ...row }: SettingsHistoryRow): SettingsVersionView {
  return {
    ...row,
    operation: operation && { operationId: operation.id, type: operation.type, state: operation.state },
    at: at.toISOString(),
  };
}
