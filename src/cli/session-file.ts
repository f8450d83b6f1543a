import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { bearerToken } from '../sign-in-config.ts';

const session = z.object({
  apiUrl: z.string(),
  issuer: z.string(),
  clientId: z.string(),
  audience: z.string().optional(),
  accessToken: bearerToken,
  expiresAt: z.iso.datetime(),
  refreshToken: z.string().optional(),
});
/** What a sign-in brought, for one API: a token is sent to no other. */
export type Session = z.output<typeof session>;

/** Where the sign-in of an API is kept. */
export interface SessionPlace {
  readonly directory: string;
  readonly apiUrl: string;
}

/** What is kept of a sign-in cannot be used as it is. */
export class SessionFileError extends Error {
  override readonly name = 'SessionFileError';
}

export function sessionFile({ directory, apiUrl }: SessionPlace): string {
  const name = createHash('sha256').update(new URL(apiUrl).href).digest('hex').slice(0, 16);
  return join(directory, 'sessions', `${name}.json`);
}

/** @returns undefined when there is none @throws SessionFileError */
export function readSession(place: SessionPlace): Session | undefined {
  const file = sessionFile(place);
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const { data } = session.safeParse(parsed(text));
  if (data && new URL(data.apiUrl).href === new URL(place.apiUrl).href) return data;
  throw new SessionFileError(`${file} is not what \`tenantry login\` writes: sign in again`);
}

/** In one piece, and readable by its owner alone from its first byte on. */
export function writeSession(place: SessionPlace, given: Session): void {
  const file = sessionFile(place);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  rmSync(next, { force: true });
  writeFileSync(next, `${JSON.stringify(given)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(next, file);
}

export function removeSession(place: SessionPlace): void {
  rmSync(sessionFile(place), { force: true });
}

/** A folder that this user cannot look into holds nothing that this user's sign-in wrote. */
const absent: readonly (string | undefined)[] = ['ENOENT', 'ENOTDIR', 'EACCES'];

function readIfThere(file: string): string | undefined {
  try {
    const { mode } = statSync(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new SessionFileError(`${file} can be read or changed by other users: sign in again, or chmod 600 it`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && absent.some((code) => code === error.code)) return undefined;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
