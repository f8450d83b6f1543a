import type { Identity } from './identity.ts';

/** One kind of credentials. */
export interface Authenticator {
  /** Whether a token looks like one of these; no other authenticator is asked then. */
  takes(token: string): boolean;
  /**
   * Whom a token stands for.
   * @throws RequestError UNAUTHENTICATED (`refusals.ts`), FORBIDDEN when it names no role; another code when it cannot be told now
   */
  authenticate(token: string): Promise<Identity>;
}
