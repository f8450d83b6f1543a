import { givenRoles, type GivenRole } from '../../src/contracts/caller.ts';

/** Who can sign in at the sandbox's issuer: one user per role, named for it. */
export const users: readonly GivenRole[] = givenRoles;
export type User = GivenRole;

export function isUser(name: string): name is User {
  return users.some((user) => user === name);
}
