import type { ServiceKeyRow } from '../db/service-keys.ts';

type KeyState = 'in-force' | 'revoked' | 'expired';

function stateOf({ revokedAt, expired }: ServiceKeyRow): KeyState {
  if (revokedAt) return 'revoked';
  return expired ? 'expired' : 'in-force';
}

/** A key for programs, without its secret. */
export function keyJson(key: ServiceKeyRow) {
  const { expired: _expired, ...kept } = key;
  return { ...kept, state: stateOf(key) };
}

/** A key in one line, without its secret. */
export function keyLine(key: ServiceKeyRow): string {
  const { id, name, prefix, createdAt, createdBy, expiresAt, lastUsedAt, revokedAt, revokedBy } = key;
  const state = stateOf(key);
  const end =
    state === 'revoked'
      ? `revoked ${revokedAt?.toISOString()} by ${revokedBy}`
      : `${state === 'expired' ? 'expired' : 'expires'} ${expiresAt.toISOString()}`;
  const used = lastUsedAt ? `last used ${lastUsedAt.toISOString()}` : 'never used';
  return `${name}  ${prefix}...  ${mayDo(key)}  ${end}  ${used}  made ${createdAt.toISOString()} by ${createdBy}  ${id}`;
}

/** What goes with the text of a new key. */
export function madeText(key: ServiceKeyRow): string {
  return [
    `made the key ${key.name} (${key.id}): ${mayDo(key)}, expires ${key.expiresAt.toISOString()}`,
    'It is shown this once; keep it where secrets are kept:',
  ].join('\n');
}

function mayDo({ role, tenants }: ServiceKeyRow): string {
  return tenants.length === 0 ? role : `${role} of ${tenants.join(', ')}`;
}
