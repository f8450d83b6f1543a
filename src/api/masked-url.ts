/** Names of parameters whose values may be credentials (RFC 6750, section 2.3, and what clients send by mistake). */
const secretNames = new Set([
  'access_token',
  'api_key',
  'apikey',
  'authorization',
  'client_secret',
  'id_token',
  'key',
  'password',
  'refresh_token',
  'secret',
  'ticket',
  'token',
]);

const MASK = '[masked]';
/** Service keys, tickets, secrets of webhooks; JWT, whole or cut off. */
const credentials = /(?:tnk_|tnt_|whsec_)[\w~+/=%-]*|eyJ[\w.~+/=%-]*/g;
/** Whoever encodes a URL oftener than that hides something. */
const MOST_ROUNDS = 8;

/**
 * A URL as it may be logged: without the values of parameters that are named like credentials, however the name is written, and without
 * anything that looks like a token, a service key, a ticket or a webhook's secret. Pure.
 */
export function maskedUrl(url: string): string {
  return maskedText(url)
    .split(/([?&;#])/)
    .map((part) => withoutValue(part).split('/').map(withoutHidden).join('/'))
    .join('');
}

/** What a refusal says may name what the URL held. Pure. */
export function maskedText(text: string): string {
  return text.replaceAll(credentials, MASK);
}

function withoutValue(parameter: string): string {
  const at = parameter.search(/=|%(?:25)*3d/i);
  if (at < 0) return parameter;
  const name = decoded(parameter.slice(0, at))?.replaceAll('+', ' ').trim().toLowerCase().replaceAll('-', '_');
  return name === undefined || secretNames.has(name) ? `${parameter.slice(0, at)}=${MASK}` : parameter;
}

/** Of a parameter its value is masked. */
function withoutHidden(part: string): string {
  const plain = decoded(part);
  if (plain !== undefined && (plain === part || maskedText(plain) === plain)) return part;
  const at = part.indexOf('=');
  const name = at < 0 ? '' : part.slice(0, at + 1);
  return withoutHiddenName(name) + MASK;
}

function withoutHiddenName(name: string): string {
  const plain = decoded(name);
  return plain !== undefined && maskedText(plain) === plain ? name : '';
}

/** Its ASCII characters, however often they are encoded; undefined: too often. */
function decoded(text: string): string | undefined {
  let now = text;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = now;
    now = before
      .replaceAll(/%(?:25)+/g, '%')
      .replaceAll(/%([0-7][0-9a-f])/gi, (_whole, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (now === before) return now;
  }
  return undefined;
}
