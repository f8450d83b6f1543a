import type { Call } from '../sandbox/gateway/gateway.ts';

/** A value that must be written nowhere. */
export interface Secret {
  /** For people: where it comes from. */
  readonly name: string;
  readonly value: string;
}

/** Shorter values are in too many texts by chance. */
const SHORTEST = 8;

/** Values of fields of a call whose names say that they are secret: of JSON, form and XML bodies. */
export function secretsIn({
  service,
  action,
  body,
  token,
}: Pick<Call, 'service' | 'action' | 'body' | 'token'>): Secret[] {
  const secrets = leavesOf(body.toString('utf8'))
    .flatMap(({ field, value }) => [{ field, value }, ...secretLeavesOf(value)])
    .filter(({ field }) => isSecretName(field));
  return secrets
    .filter(({ value }) => value.length >= SHORTEST && value !== token && !value.startsWith('arn:'))
    .map(({ field, value }) => ({ name: `${field} of ${service}:${action}`, value }));
}

/** Secret parts of a value that is JSON itself, as of a secret that holds user and password. */
export function secretPartsOf({ name, value }: Secret): Secret[] {
  return secretLeavesOf(value)
    .filter((part) => part.value.length >= SHORTEST)
    .map((part) => ({ name: `${part.field} in ${name}`, value: part.value }));
}

interface Leaf {
  readonly field: string;
  readonly value: string;
}

function secretLeavesOf(text: string): Leaf[] {
  return jsonLeavesOf(text)?.filter(({ field }) => isSecretName(field)) ?? [];
}

const secretNames =
  /(?:password|passwd|passphrase|secret|secret[-_]?string|secret[-_]?binary|private[-_]?key|secret[-_]?(?:access[-_]?)?key|api[-_]?key)$/i;
/** Those of requests and pages are no secrets. */
const otherTokens = /(?:request|client|next|idempotency|page|pagination|continuation|creator|creation)[-_]?token$/i;

function isSecretName(field: string): boolean {
  return secretNames.test(field) || (/token$/i.test(field) && !otherTokens.test(field));
}

function leavesOf(text: string): Leaf[] {
  if (text.startsWith('<')) return xmlLeavesOf(text);
  return jsonLeavesOf(text) ?? formLeavesOf(text);
}

/** Undefined when the text is no JSON object. */
function jsonLeavesOf(text: string): Leaf[] | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return leavesOfValue('', JSON.parse(text));
  } catch {
    return undefined;
  }
}

function leavesOfValue(field: string, value: unknown): Leaf[] {
  if (typeof value === 'string') return [{ field, value }];
  if (Array.isArray(value)) return value.flatMap((one: unknown) => leavesOfValue(field, one));
  if (typeof value !== 'object' || value === null) return [];
  const fields = value as Readonly<Record<string, unknown>>;
  const named = fields['name'] ?? fields['Name'] ?? fields['key'] ?? fields['Key'];
  const held = fields['value'] ?? fields['Value'];
  return [
    ...Object.entries(fields).flatMap(([key, inner]) => leavesOfValue(key, inner)),
    // A pair, as of a container's environment.
    ...(typeof named === 'string' && typeof held === 'string' ? [{ field: named, value: held }] : []),
    ...(fields['Type'] === 'SecureString' && typeof held === 'string' ? [{ field: 'secret', value: held }] : []),
  ];
}

/** `Parameters.member.1.MasterUserPassword=...` */
function formLeavesOf(text: string): Leaf[] {
  return [...new URLSearchParams(text)].map(([path, value]) => ({ field: path.split('.').at(-1) ?? path, value }));
}

function xmlLeavesOf(text: string): Leaf[] {
  return [...text.matchAll(/<([A-Za-z][\w-]*)>([^<]+)<\/\1>/g)].map(([, field = '', value = '']) => ({ field, value }));
}
