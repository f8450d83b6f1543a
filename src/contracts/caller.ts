/** Roles that a person or a program can be given, the one that may do most first. */
export const givenRoles = ['platform-admin', 'platform-operator', 'tenant-admin', 'canary', 'self-service'] as const;
export type GivenRole = (typeof givenRoles)[number];

/** What a caller may do. `system`: a process of Tenantry itself, which nobody asked. */
export const roles = [...givenRoles, 'system'] as const;
export type Role = (typeof roles)[number];

/** Roles that reach what they made, and nothing else. */
export const makingRoles: readonly GivenRole[] = ['canary', 'self-service'];

/** Tenants that a caller may see and act on: those named, or those that it made itself. */
export type CallerScope =
  { readonly kind: 'tenants'; /** In lower case. */ readonly ids: readonly string[] } | { readonly kind: 'own' };

/** Who asked; stored with every operation and event, but for its scope. */
export interface Caller {
  /** Who it is, in the words of whoever authenticated it; `local-operator` where nobody did. */
  readonly principal: string;
  readonly role: Role;
  /** Of the one request, as the log of the process that took it has it. */
  readonly requestId: string;
  /** Where the request came from, when it came over the network. */
  readonly address?: string | undefined;
  /** Absent: all tenants. */
  readonly scope?: CallerScope | undefined;
}

/** What is kept of a caller. */
export type StoredCaller = Omit<Caller, 'scope'>;

/** Whoever reaches the API while it authenticates nobody: it listens on the loopback only. */
export const LOCAL_OPERATOR = 'local-operator';
