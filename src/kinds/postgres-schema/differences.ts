import type { Difference } from '../../contracts/drift.ts';
import type { Inspection } from '../../db/tenant-databases.ts';
import type { RoleAttributes, TenantSession } from '../../db/tenant-schema-examination.ts';
import { changedFields, missingData, missingThing } from '../framework/differences.ts';

export interface SchemaSeen {
  readonly name: string;
  readonly connectionLimit: number;
  readonly inspection: Inspection;
  readonly role: RoleAttributes | undefined;
}

/** What sets a tenant's role and schema apart from its spec. Pure. */
export function schemaDifferences({ name, connectionLimit, inspection, role: attributes }: SchemaSeen): Difference[] {
  const { renamed, role, schema } = inspection;
  const byHand = (found: readonly Difference[]) => found.map((one): Difference => ({ ...one, remedy: 'hand' }));
  const isRenamed = (what: 'role' | 'schema') => renamed.some((one) => one.what === what);
  return [
    ...byHand(renamed.map((one) => ({ is: 'changed', field: `${one.what}.name`, wanted: name, found: one.name }))),
    ...byHand(
      [{ what: 'role', is: role } as const, { what: 'schema', is: schema } as const].flatMap(({ what, is }) =>
        is === 'foreign' ? changedFields({ [`${what}.mark`]: ['this tenant', 'not this tenant'] }) : [],
      ),
    ),
    ...(role === 'absent' && !isRenamed('role') ? [missingThing('postgres:role', name)] : []),
    ...(schema === 'absent' && !isRenamed('schema') ? [missingData('postgres:schema', name)] : []),
    ...(role === 'ours' && attributes ? roleDifferences(attributes, connectionLimit) : []),
  ];
}

function roleDifferences({ canLogin, connectionLimit, privileges }: RoleAttributes, limit: number): Difference[] {
  return [
    ...changedFields({ 'role.canLogin': [true, canLogin], 'role.connectionLimit': [limit, connectionLimit] }),
    ...privileges.map((found): Difference => ({ is: 'extra', field: 'role.privilege', found, remedy: 'hand' })),
  ];
}

/** What a session of the tenant's own showed. */
export function sessionDifferences(session: TenantSession): Difference[] {
  if (session.is === 'refused')
    return changedFields({ 'role.password': ['that of its secret', `refused: ${session.why}`] });
  if (session.is === 'full' || session.pendingMigrations.length === 0) return [];
  // Another release of the product brings them: a repair must not.
  return changedFields({ pendingMigrations: [[], session.pendingMigrations] }).map((one) => ({
    ...one,
    remedy: 'refresh',
  }));
}
