import type { CatalogEntry } from '../../db/sweep-catalog.ts';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { ownerIn, ownershipTags, parseOwnershipMarker, schemaName } from '../../naming.ts';
import type { CellAccess, Part, SweptType, TakeAwayCall } from '../framework/resource-type.ts';

/** A schema and its role, which have one name. */
export const schemaType: SweptType = {
  named: { pattern: /^tenant_[0-9a-f]{32}$/, isOf: (name, { tenantId }) => name === schemaName(tenantId) },
  list: listIn,
  after: ['ecs:service', 'postgres:login'],
  holdsData: true,
  isListedIn: (other, _cell, { physicalId }) => other.tenantDatabases.some(({ id }) => physicalId.startsWith(`${id}/`)),
  markOf,
  takeAway: dropSchema,
  async useOf({ tenantDatabases, isListed, item }) {
    if (!isListed) return undefined;
    const [entry] = await tenantDatabases.listMarked(databaseIn(item.physicalId) ?? '', item.name);
    return entry && entry.sessions > 0 ? `its role has ${entry.sessions} sessions` : undefined;
  },
};

export const roleType: Part = { partOf: 'postgres:schema', markOf };

function markOf(_name: string, marker: string): string {
  return `the comment '${marker}'`;
}

function listIn({ cell, tenantDatabases }: CellAccess): TypeList {
  return {
    async list() {
      const items: SweptItem[] = [];
      for (const { id } of cell.tenantDatabases)
        items.push(...(await tenantDatabases.listMarked(id)).map((entry) => itemOf(id, entry)));
      return items;
    },
    async find({ name, physicalId }) {
      const database = databaseIn(physicalId);
      for (const { id } of cell.tenantDatabases.filter((d) => database === undefined || d.id === database)) {
        const [entry] = await tenantDatabases.listMarked(id, name);
        if (entry) return itemOf(id, entry);
      }
      return undefined;
    },
  };
}

/** `<database id>/<schema>`; a row of the ledger has the schema's name alone. */
export function databaseIn(physicalId: string): string | undefined {
  const slash = physicalId.indexOf('/');
  return slash < 0 ? undefined : physicalId.slice(0, slash);
}

/** Schema and role of one name. The role's comment counts: a tenant owns its schema, and may write over that one's. */
function itemOf(database: string, { name, role, schema }: CatalogEntry): SweptItem {
  const mark = parseOwnershipMarker((role ? role.comment : schema?.comment) ?? '');
  return {
    type: 'postgres:schema',
    physicalId: `${database}/${name}`,
    name,
    tags: mark ? ownershipTags(mark) : {},
    createdAt: undefined,
    passing: undefined,
    seen: { database, name, role, schema },
  };
}

async function dropSchema({ item, guard, tenantDatabases }: TakeAwayCall): Promise<string> {
  const { installationId = '', tenantId = '', product = '', operationId = '', stepId = '' } = ownerIn(item.tags ?? {});
  const ownership = { installationId, tenantId, product, operationId, stepId };
  const name = schemaName(tenantId);
  await tenantDatabases.dropSchemaAndRole({ database: databaseIn(item.physicalId) ?? '', name, ownership }, guard);
  return `schema and role ${name} were dropped`;
}
