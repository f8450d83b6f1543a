import { isTable } from '../../aws/stack-resources.ts';
import { isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { DumpedRows, NoDump, NotDumped, RowsDump } from '../../contracts/dump.ts';
import { stackName } from '../../naming.ts';
import { dumpRows } from '../framework/dumped-rows.ts';
import { holdsData } from './data-types.ts';
import type { StackContext } from './spec.ts';
import type { DumpSink } from '../../db/tenant-dump/sink.ts';

/**
 * Writes all rows of the tables of DynamoDB that a stack holds. What else it holds may have data as well: the manifest names it.
 * @returns undefined when there is no stack of the tenant's
 */
export async function dumpTables(context: StackContext, sink: DumpSink): Promise<RowsDump | NoDump | undefined> {
  const { aws, spec, tags, tenant } = context;
  const stack = await aws.stacks.findStack(stackName(spec.prefix, tenant.id));
  if (!stack || !isOwnedBy(stack.tags, ownerOf(tags))) return undefined;
  const resources = await aws.stacks.listResources(stack.id);
  const takenAt = new Date().toISOString();
  const tables: DumpedRows[] = [];
  for (const { physicalId: table } of resources.filter(isTable)) {
    const keys = await aws.partitions.findKeys(table);
    // Gone by hand: its data is lost, whatever is done here.
    if (!keys) continue;
    const source = { table, keys: [keys.partition, ...(keys.sort === undefined ? [] : [keys.sort])], partition: null };
    const file = `tables/${String(tables.length + 1).padStart(4, '0')}.jsonl.gz`;
    tables.push(await dumpRows(sink, file, { ...source, pages: aws.partitions.scan(table) }));
  }
  const notDumped = resources.filter((one) => holdsData(one.type) && !isTable(one)).map(asNotDumped);
  if (tables.length > 0) return { format: 'dynamodb-rows', takenAt, tables, notDumped };
  const rest = notDumped.map(({ identity, type }) => `${type} ${identity}`).join(', ');
  return {
    nothing: `the stack has no table of DynamoDB${rest === '' ? '' : `; what else it holds was not dumped: ${rest}`}`,
  };
}

function asNotDumped({
  type,
  physicalId: identity,
}: {
  readonly type: string;
  readonly physicalId: string;
}): NotDumped {
  return { type, identity };
}
