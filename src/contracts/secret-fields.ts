const secretName = /password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key/i;
const maskedText = '[masked]';

/** A value whose fields are masked where their name says that they are secret, at any depth; what names a secret in AWS is none. Pure. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return withoutUserInfo(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  // A moment, and whatever else says itself what it is in JSON.
  if (hasJson(value)) return withoutSecrets(value.toJSON());
  return typeof value === 'object' && value !== null ? fieldsWithoutSecrets({ ...value }) : value;
}

/** As {@link withoutSecrets}. */
export function fieldsWithoutSecrets(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isSecret(name) ? maskedText : withoutSecrets(value)]),
  );
}

function hasJson(value: unknown): value is { toJSON(): unknown } {
  return typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function';
}

function isSecret(name: string): boolean {
  return secretName.test(name) && !/arn$/i.test(name);
}

/** Name and password of a URL. */
function withoutUserInfo(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${maskedText}@`);
}
