import { isRead } from '../../aws/errors.ts';
import type { Becomes } from '../../contracts/blueprint.ts';
import type { Kind } from './kind.ts';

/** Verbs of actions that take something away. */
const removes = /^(Delete|Deregister|Remove|Untag)(?![a-z])/;

/** Changing IAM actions that a step of the kind may call, at most, by what becomes of it. What nothing is done to calls none. */
export function changingCalls({ calls, permissions }: Pick<Kind, 'calls' | 'permissions'>, becomes: Becomes): string[] {
  if (becomes === 'keep') return [];
  const declared = becomes === 'drop' ? calls?.remove : calls?.ensure;
  const isOfRemoval = becomes === 'drop';
  return [
    ...(declared ?? permissions.filter((action) => isChange(action) && removes.test(nameOf(action)) === isOfRemoval)),
  ];
}

/** A role is passed, which no call is for. */
function isChange(action: string): boolean {
  return action !== 'iam:PassRole' && !isRead({ action: nameOf(action) });
}

function nameOf(action: string): string {
  return action.slice(action.indexOf(':') + 1);
}
