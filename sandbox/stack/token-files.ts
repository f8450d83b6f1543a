import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { User } from '../issuer/users.ts';

/** Where the token of a user lies: `<directory>/tokens/platform-admin`. */
export function tokenFile(directory: string, user: User): string {
  return resolve(folderOf(directory), user);
}

/** Writes the users' tokens, a file each, readable by whoever started the sandbox alone. */
export function writeTokenFiles(directory: string, tokens: readonly (readonly [User, string])[]): void {
  removeTokenFiles(directory);
  mkdirSync(folderOf(directory), { recursive: true, mode: 0o700 });
  for (const [user, token] of tokens) writeFileSync(tokenFile(directory, user), token, { mode: 0o600 });
}

/** At the end of a sandbox, and of one that was killed. */
export function removeTokenFiles(directory: string): void {
  rmSync(folderOf(directory), { recursive: true, force: true });
}

function folderOf(directory: string): string {
  return resolve(directory, 'tokens');
}
