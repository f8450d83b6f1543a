import { readSession, sessionFile, writeSession, type Session, type SessionPlace } from './session-file.ts';
import { withFileLock } from './session-lock.ts';

/** A token with less than this left, in ms, may end on its way. */
const SPARE_MS = 30_000;

/** A token of the sign-in for an API, got anew when it ends; undefined: nobody signed in. @throws SessionFileError, SignInError, IssuerUnreachableError */
export async function sessionToken(place: SessionPlace): Promise<string | undefined> {
  const found = readSession(place);
  if (!found) return undefined;
  const { accessToken } = isFresh(found) ? found : await refreshOnce(place);
  return accessToken;
}

/** Most issuers take a refresh token once, and end the sign-in when it comes again: two commands at once must not both send it. */
function refreshOnce(place: SessionPlace): Promise<Session> {
  return withFileLock(sessionFile(place), async () => {
    const { refreshed, SignInError } = await import('./sign-in.ts');
    const now = readSession(place);
    if (!now) throw new SignInError('the sign-in was ended meanwhile');
    if (isFresh(now)) return now;
    const next = await refreshed(now);
    writeSession(place, next);
    return next;
  });
}

function isFresh({ expiresAt }: Session): boolean {
  return Date.parse(expiresAt) - Date.now() > SPARE_MS;
}
