import type { CredentialTrace } from '../../contracts/credential.ts';
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
  /** Absent: its credentials can be asked for by themselves only, so tickets of theirs open nothing. */
  readonly traces?: Traces | undefined;
}

/** What is kept of credentials in their place, to ask for them again. */
export interface Traces {
  readonly kind: CredentialTrace['kind'];
  /** Of a token that was taken. */
  of(token: string): CredentialTrace;
  /**
   * Whether a credential that stood for somebody still stands, and for whom.
   * @throws as {@link Authenticator.authenticate} does
   */
  again(trace: CredentialTrace, before: Identity): Promise<Identity>;
}
