import { isOfTenant, sortItems, takeInventory, type InventoryItem } from '../sandbox/inventory/inventory.ts';
import type { Leftover } from '../src/contracts/messages.ts';
import { listLedger } from '../src/db/ledger.ts';
import { listOwn, type OraclePlace, type OwnListers } from './own-listers.ts';
import { sharedReads } from './shared-reads.ts';
import type { Ground } from './stand.ts';
import type { SampleTenant } from './tenant.ts';

/** What really exists, by an inventory that shares no code with the ledger and the kinds. */
export interface Oracle {
  /** A tenant's things, by an inventory that began after this call; what AWS keeps of removed things is a residue. */
  itemsOf(tenant: SampleTenant): Promise<InventoryItem[]>;
  everything(): Promise<InventoryItem[]>;
}

/** @param types `ledger`: those that there must be a lister for; `own`: listers of those that the inventory does not know */
export function createOracle(
  { adminUrl, cell, database, gateway }: Pick<Ground, 'adminUrl' | 'cell' | 'database' | 'gateway'>,
  types: { readonly ledger: readonly string[]; readonly own: OwnListers; readonly at: OraclePlace },
): Oracle {
  const accounts = [{ accountId: cell.accountId, region: cell.region }];
  const mustList = types.ledger.filter((type) => !(type in types.own));
  const sources = { gatewayUrl: gateway.url, databaseUrl: adminUrl, accounts, scope: 'tenants', mustList } as const;
  const everything = sharedReads({ everyMs: 200, restFactor: 1 }, async () => {
    const [known, own] = await Promise.all([takeInventory(sources), listOwn(types.own, types.at)]);
    return sortItems([...known, ...own]);
  });
  return {
    everything,
    itemsOf: async ({ id, slug }) => {
      // Hashed names tell nothing of a tenant: what lost its mark is found by the ledger's words.
      const rows = await listLedger(database, id);
      const texts = rows.flatMap(({ name, physicalId }) => [name, ...(physicalId === null ? [] : [physicalId])]);
      return (await everything()).filter(isOfTenant({ tenantId: id, slug, texts }));
    },
  };
}

/** What there is besides what AWS keeps of removed things by design. */
export function withoutResidue(items: readonly InventoryItem[]): InventoryItem[] {
  return items.filter(({ residue }) => residue === undefined);
}

/** What a tenant consists of, without what differs from one to the next: names, ids, revisions, addresses, times. Sorted. */
export function shapeOf(items: readonly InventoryItem[], { id, slug }: Pick<SampleTenant, 'id' | 'slug'>): string[] {
  const texts = [id, id.replaceAll('-', ''), slug];
  return withoutResidue(items)
    .map(({ kind, owner, detail, settings }) => {
      const facts = Object.entries({ ...settings, ...detail }).map(([name, value]) => `${name}=${value}`);
      const line = [kind, owner?.step ?? '', ...facts.sort()].join(' ');
      return texts.reduce((text, own) => text.replaceAll(own, '*'), line).replaceAll(varying, '*');
    })
    .sort();
}

const varying =
  /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\bt-[0-9a-f]{10}\b|\b10\.42\.\d+\.\d+\b|:\d+\b(?!-)|\btargets?-?\d+\b/g;

/** Lines that one side has and the other has not, as a diff reads. */
export function shapeDifference(expected: readonly string[], found: readonly string[]): string[] {
  const left = [...expected];
  const more: string[] = [];
  for (const line of found) {
    const at = left.indexOf(line);
    if (at < 0) more.push(line);
    else left.splice(at, 1);
  }
  return [...left.map((line) => `- ${line}`), ...more.map((line) => `+ ${line}`)];
}

/** Whether a thing of the inventory is the one that a row of the ledger names. */
export function isThing(
  { type, name, physicalId }: Pick<Leftover, 'type' | 'name' | 'physicalId'>,
  item: InventoryItem,
): boolean {
  if (item.kind !== type) return false;
  // A record set's name ends in a dot and its type.
  const own = (item.name ?? item.id).replace(/\. [A-Z]+$/, '');
  return (
    item.id === physicalId ||
    own === name ||
    own.endsWith(`/${name}`) ||
    own.endsWith(`:${name}`) ||
    own.replace(/:\d+$/, '') === name ||
    ruleText(item) === name
  );
}

/** A rule is named by its host and paths in the ledger, by its priority in the inventory. */
function ruleText({ kind, detail }: InventoryItem): string | undefined {
  if (kind !== 'elbv2:rule') return undefined;
  const [, host = '', paths = ''] =
    /host-header=(\S+?),?(?: path-pattern=(\S+))?,?$/.exec(detail?.['when'] ?? '') ?? [];
  return host + paths;
}
