import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import type { LoginEntry } from '../../db/sweep-catalog.ts';
import { isLoginNameOf, loginPattern, ownerIn, ownershipTags, parseOwnershipMarker, schemaName } from '../../naming.ts';
import type { CellAccess, SweptType, TakeAwayCall } from '../framework/resource-type.ts';
import { databaseIn } from '../postgres-schema/type.ts';

/** A login role of a tenant beside the owner of its schema. */
export const loginType: SweptType = {
  named: { pattern: loginPattern, isOf: (name, { tenantId }) => isLoginNameOf(name, tenantId) },
  list: listIn,
  after: ['ecs:service'],
  isListedIn: (other, _cell, { physicalId }) => other.tenantDatabases.some(({ id }) => physicalId.startsWith(`${id}/`)),
  markOf: (_name, marker) => `the comment '${marker}'`,
  takeAway: dropLogin,
  async useOf({ tenantDatabases, isListed, item }) {
    if (!isListed) return undefined;
    const [entry] = await tenantDatabases.listLogins(databaseIn(item.physicalId) ?? '', item.name);
    return entry && entry.sessions > 0 ? `it has ${entry.sessions} sessions` : undefined;
  },
};

function listIn({ cell, tenantDatabases }: CellAccess): TypeList {
  return {
    async list() {
      const items: SweptItem[] = [];
      for (const { id } of cell.tenantDatabases)
        items.push(...(await tenantDatabases.listLogins(id)).map((entry) => itemOf(id, entry)));
      return items;
    },
    async find({ name, physicalId }) {
      const database = databaseIn(physicalId);
      for (const { id } of cell.tenantDatabases.filter((d) => database === undefined || d.id === database)) {
        const [entry] = await tenantDatabases.listLogins(id, name);
        if (entry) return itemOf(id, entry);
      }
      return undefined;
    },
  };
}

function itemOf(database: string, { name, oid, comment }: LoginEntry): SweptItem {
  const mark = parseOwnershipMarker(comment ?? '');
  return {
    type: 'postgres:login',
    physicalId: `${database}/${name}`,
    name,
    tags: mark ? ownershipTags(mark) : {},
    createdAt: undefined,
    passing: undefined,
    seen: { database, name, oid, comment },
  };
}

async function dropLogin({ item, guard, tenantDatabases }: TakeAwayCall): Promise<string> {
  const { installationId = '', tenantId = '', product = '', operationId = '', stepId = '' } = ownerIn(item.tags ?? {});
  const ownership = { installationId, tenantId, product, operationId, stepId };
  const { name } = item;
  const database = databaseIn(item.physicalId) ?? '';
  await tenantDatabases.dropLogin({ database, name, owner: schemaName(tenantId), ownership }, guard);
  return `login role ${name} was dropped`;
}
