/** What a caller may do. `system`: a process of Tenantry itself, which nobody asked. */
export const roles = ['platform-admin', 'platform-operator', 'tenant-admin', 'self-service', 'system'] as const;
export type Role = (typeof roles)[number];

/** Who asked; stored with every operation and event. */
export interface Caller {
  /** Who it is, in the words of whoever authenticated it; `local-operator` where nobody did. */
  readonly principal: string;
  readonly role: Role;
  /** Of the one request, as the log of the process that took it has it. */
  readonly requestId: string;
  /** Where the request came from, when it came over the network. */
  readonly address?: string | undefined;
}

/** Whoever reaches the API while it authenticates nobody: it listens on the loopback only. */
export const LOCAL_OPERATOR = 'local-operator';
