import { LOCAL_OPERATOR, type CallerScope, type GivenRole } from '../../contracts/caller.ts';

/** Who a credential says that a caller is. */
export interface Identity {
  /** `<host of the issuer>|<subject>`, or `key:<name>` of a service key. */
  readonly principal: string;
  readonly role: GivenRole;
  /** Absent: all tenants. */
  readonly scope?: CallerScope | undefined;
  /** When the credential ends; a stream that it opened ends with it. */
  readonly expiresAt?: Date | undefined;
}

/** Whoever reaches an API that asks nobody: it listens on the loopback only. */
export const localOperator: Identity = { principal: LOCAL_OPERATOR, role: 'platform-admin' };
