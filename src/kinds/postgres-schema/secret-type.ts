import { ownerIn, parseOwnershipMarker, schemaName, secretPrefix } from '../../naming.ts';
import type { SweptType, UseCall } from '../framework/resource-type.ts';

/** How long a deleted secret can still be brought back, in days: the longest that AWS offers. */
const RECOVERY_DAYS = 30;

export const secretType: SweptType = {
  named: {
    pattern: /^tenantry\/[0-9a-f-]{36}\/[0-9a-f-]{36}\/./,
    isOf: (name, { installationId, tenantId }) => name.startsWith(secretPrefix(installationId, tenantId)),
  },
  list: ({ aws }) => aws.inventory.secrets,
  after: ['postgres:schema', 'postgres:login'],
  hasUniqueIds: true,
  isFoundByName: true,
  async takeAway({ aws, item }) {
    const options = { recoveryDays: RECOVERY_DAYS, tags: item.tags ?? {} };
    const scheduled = await aws.secrets.scheduleDeletion(item.physicalId, options);
    return scheduled ? `it can be restored until ${scheduled.deletionDate.toISOString()}` : 'it was gone already';
  },
  useOf: roleThatItOpens,
};

/** A password stays as long as the role that it opens, in whichever cell's database. What is approved of both goes in order. */
async function roleThatItOpens({ isListed, item, platform, tenantDatabases }: UseCall): Promise<string | undefined> {
  if (!isListed) return undefined;
  const { tenantId = '', stepId = '' } = ownerIn(item.tags ?? {});
  const schema = schemaName(tenantId);
  const databases = new Set(platform.cells.flatMap((cell) => cell.tenantDatabases.map(({ id }) => id)));
  for (const id of databases) {
    const logins = await tenantDatabases.listLogins(id, schema);
    const opened = logins.find(({ comment }) => stepOf(comment) === stepId);
    if (opened) return `role ${opened.name} is there, which it opens`;
    const [entry] = await tenantDatabases.listMarked(id, schema);
    const marks = [stepOf(entry?.role?.comment), stepOf(entry?.schema?.comment)].filter((step) => step !== undefined);
    // A schema that no mark tells of may be the one.
    if (entry && (marks.length === 0 || marks.includes(stepId)))
      return `schema or role ${schema} is there, which it opens`;
  }
  return undefined;
}

/** The step that a mark names. */
function stepOf(comment: string | null | undefined): string | undefined {
  return parseOwnershipMarker(comment ?? '')?.stepId;
}
