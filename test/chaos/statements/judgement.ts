import { describeItem, type InventoryItem } from '../../../sandbox/inventory/inventory.ts';
import type { Leftover } from '../../../src/contracts/messages.ts';
import { isThing } from '../../../testing/oracle.ts';
import type { Tenant } from './world.ts';

/** What a tenant consists of, without what differs from one to the next: names, ids, revisions, addresses. Sorted. */
export function shapeOf(items: readonly InventoryItem[], { tenantId, slug }: Tenant): string[] {
  const texts = [tenantId, tenantId.replaceAll('-', ''), slug];
  return items
    .map(({ kind, owner, detail, settings, residue }) => {
      const facts = Object.entries({ ...settings, ...detail }).map(([name, value]) => `${name}=${value}`);
      const line = [kind, owner?.step ?? '', ...facts.sort(), residue ?? ''].join(' ');
      return texts.reduce((text, own) => text.replaceAll(own, '*'), line).replaceAll(varying, '*');
    })
    .sort();
}

const varying = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\bt-[0-9a-f]{10}\b|\b10\.42\.\d+\.\d+\b|:\d+\b(?!-)/g;

/** What there is of a tenant besides what AWS keeps of removed things by design. */
export function withoutResidue(items: readonly InventoryItem[]): InventoryItem[] {
  return items.filter((item) => item.residue === undefined);
}

/** What of a stuck operation's list is not true: a thing that is there and not named, or one that is named and not there. */
export function falseWords(items: readonly InventoryItem[], leftovers: readonly Leftover[]): string[] {
  const there = withoutResidue(items);
  const unnamed = there.filter((item) => !leftovers.some((l) => covers(l, item)));
  const absent = leftovers.filter((l) => !there.some((item) => isThing(l, item)));
  return [
    ...unnamed.map((item) => `there and not in the list: ${describeItem(item)}`),
    ...absent.map(({ stepId, type, name }) => `in the list and not there: ${type} ${name} of ${stepId}`),
  ];
}

/** What goes with a thing and is no resource of its own. */
const parts: Readonly<Record<string, readonly string[]>> = {
  'ecs:service': ['ecs:task', 'local:task-listener'],
  'elbv2:target-group': ['elbv2:target'],
  'postgres:login': ['postgres:membership', 'postgres:role-setting'],
  'postgres:role': ['postgres:database-right', 'postgres:membership', 'postgres:role-setting', 'postgres:schema-right'],
};

function covers(left: Leftover, item: InventoryItem): boolean {
  return isThing(left, item) || (parts[left.type]?.includes(item.kind) === true && isPartOf(left, item));
}

function isPartOf({ name }: Leftover, { kind, name: own = '', id, detail }: InventoryItem): boolean {
  if (kind.startsWith('postgres:')) return `${id} ${own}`.includes(name);
  return kind === 'elbv2:target' ? own.endsWith(` in ${name}`) : (detail?.['service'] ?? own).includes(name);
}
