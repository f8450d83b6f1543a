import { TENANT_TAG } from '../../aws/tags.ts';
import { schemaName, secretPrefix } from '../../naming.ts';
import type { SweptType, UseCall } from '../framework/resource-type.ts';

/** How long a deleted secret can still be brought back, in days: the longest that AWS offers. */
const RECOVERY_DAYS = 30;

export const secretType: SweptType = {
  named: {
    pattern: /^tenantry\/[0-9a-f-]{36}\/[0-9a-f-]{36}\/./,
    isOf: (name, { installationId, tenantId }) => name.startsWith(secretPrefix(installationId, tenantId)),
  },
  list: ({ aws }) => aws.inventory.secrets,
  after: ['postgres:schema'],
  hasUniqueIds: true,
  isFoundByName: true,
  async takeAway({ aws, item }) {
    const options = { recoveryDays: RECOVERY_DAYS, tags: item.tags ?? {} };
    const scheduled = await aws.secrets.scheduleDeletion(item.physicalId, options);
    return scheduled ? `it can be restored until ${scheduled.deletionDate.toISOString()}` : 'it was gone already';
  },
  useOf: schemaThatItOpens,
};

/** A password stays as long as the schema that it opens, in whichever cell's database. What is approved of both goes in order. */
async function schemaThatItOpens({ isListed, item, platform, tenantDatabases }: UseCall): Promise<string | undefined> {
  if (!isListed) return undefined;
  const name = schemaName(item.tags?.[TENANT_TAG] ?? '');
  const databases = new Set(platform.cells.flatMap((cell) => cell.tenantDatabases.map(({ id }) => id)));
  for (const id of databases) {
    const [entry] = await tenantDatabases.listMarked(id, name);
    if (entry) return `schema or role ${name} is there, which it opens`;
  }
  return undefined;
}
