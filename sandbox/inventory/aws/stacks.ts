import type { InventoryItem } from '../item.ts';
import type { AwsCaller } from './caller.ts';
import { facts, tagged } from './facts.ts';
import type { OwnedThings } from './owned-things.ts';

/** Stacks of a gateway, which has them in the emulator's place. */
export function listStacks({ scope }: AwsCaller, { stacks }: OwnedThings): Promise<InventoryItem[]> {
  const own = stacks.filter((one) => one.scope.accountId === scope.accountId && one.scope.region === scope.region);
  const items = own.map(({ id, name, status, isProtected, parameters, tags }) => {
    const settings = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`parameter.${key}`, value]));
    const detail = facts({ status: isWhole(status) ? undefined : status, protected: isProtected ? 'yes' : undefined });
    return tagged({ kind: 'cloudformation:stack', id, name, detail, settings }, tags);
  });
  return Promise.resolve(items);
}

/** Whether it was made or changed last says nothing of what there is. */
function isWhole(status: string): boolean {
  return /^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(status);
}
