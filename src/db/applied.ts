import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import type { Queryable } from './database.ts';

const types = operationTypes.filter(
  (type) => operationTable[type].target === 'desired' && operationTable[type].succeedsBy === 'close',
);

/**
 * Condition on a row of operations, by its alias: what it was to make true is so, because it succeeded, or was abandoned past its
 * point of no return ({@link isMadeTrue} says the same of a row that was read).
 */
export function madeTrue(alias: string): string {
  const ofTypes = types.map((type) => `'${type}'`).join(', ');
  return `(${alias}.state = 'succeeded'
    or (${alias}.state = 'abandoned' and ${alias}.committed_at is not null and ${alias}.type in (${ofTypes})))`;
}

/** Whether all that the ledger holds of a tenant is as its applied blueprint says: nothing altered, unfinished or beside it. */
export async function isWhole(db: Queryable, tenantId: string): Promise<boolean> {
  const answer = await db.query<{ whole: boolean }>(
    `with applied as materialized (
       select step ->> 'id' as id from (
         select blueprint from operations o where o.tenant_id = $1 and ${madeTrue('o')}
         order by o.closed_at desc, o.accepted_at desc limit 1
       ) last cross join lateral jsonb_array_elements(last.blueprint -> 'steps') step
       where (step -> 'transient') is distinct from 'true'::jsonb
     )
     select not exists (
       select from steps s where s.tenant_id = $1 and s.state <> 'removed' and (
         s.state <> 'ready' or s.step_id not in (select id from applied)
         or (s.applied is not null and s.applied ->> 'inputsHash' is distinct from s.inputs_hash))) as whole`,
    [tenantId],
  );
  return answer.rows[0]?.whole === true;
}
