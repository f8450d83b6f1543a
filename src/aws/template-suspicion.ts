const secretName =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_?KEY(?:_BASE)?|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|ACCESS_KEY_ID|CREDENTIALS?)$/i;
const userinfo = /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:[^\s/@]+@/i;
const dataStore =
  /(?<![\p{L}\p{N}-])(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|sqlserver|oracle|memcached)(?:\+[a-z0-9]+)?:/iu;
/** `NAME=value` and `--name value`; a value that a variable or another option gives is nobody's. */
const setting = /(?<![\w-])(?:--(?!no-)([a-z][\w-]*)[=\s]|([a-z_]\w*)=)["']?[^\s"'$-]/giu;

/** Every reason for which a named value looks like nobody's to share; none for the rest (a log level), which a clone keeps. */
export function suspicionsOf(name: string, value: string, templateName: string): string[] {
  if (value === '') return [];
  const credential = secretName.test(name.replaceAll(/[.-]/g, '_')) ? [plainCredential] : [];
  return [...credential, ...suspicionsOfText(value, templateName)];
}

/** The same for text without a name: an argument, or a whole command line, whose settings have names again. */
export function suspicionsOfCommand(words: readonly string[], templateName: string): string[] {
  const line = words.join(' ');
  const names = [...line.matchAll(setting)].map(([, option, variable]) => option ?? variable ?? '');
  const holdsCredential = names.some((name) => secretName.test(name.replaceAll('-', '_')));
  const found = words.flatMap((word) => suspicionsOfText(word, templateName));
  return [...new Set([...(holdsCredential ? [plainCredential] : []), ...found])];
}

const plainCredential = 'a credential in plain text';

function suspicionsOfText(text: string, templateName: string): string[] {
  const namesTemplate = text.toLowerCase() === 'template' || isWordOf(templateName, text);
  return [
    ...(userinfo.test(text) ? ['a URL with a password in it'] : []),
    ...(dataStore.test(text) ? ['the address of a data store'] : []),
    ...(namesTemplate ? ["the template's own name"] : []),
  ];
}

/** Whether a name stands in a text by itself: `web` does in `https://web.example.com`, and not in `https://webhooks.example.com`. */
function isWordOf(name: string, text: string): boolean {
  const literal = name.replaceAll(/[^\p{L}\p{N}_-]/gu, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}-])${literal}(?![\\p{L}\\p{N}-])`, 'u').test(text);
}
