/** What the API's fields are called on the command line. A field that has no option is shown as the API names it. */
const optionOf: Readonly<Record<string, string>> = {
  // No other option has names of fields in it that the API may not know.
  body: '--file',
  'body.product': '--product',
  'body.slug': '--slug',
  'body.displayName': '--name',
  'body.contactEmail': '--email',
  'body.tier': '--tier',
  'body.cell': '--cell',
  'body.onFailure': '--on-failure',
  'body.refresh': '--refresh',
  'body.settings': '--settings',
  'body.service': '--service',
  'body.count': '--count',
  'body.reason': '--reason',
  'body.name': '--name',
  'body.masterAccountName': '--master-account',
  'body.cloudType': '--cloud-type',
  'body.technicalUser.name': '--technical-user-name',
  'body.technicalUser.email': '--technical-user-email',
  'body.technicalUser.username': '--technical-user-username',
  'body.technicalUser': '--technical-user-name and --technical-user-email',
  'body.addresses': '--address',
  'body.licenses': '--license',
  'body.url': '<url>',
  'body.description': '--description',
  'body.tenantId': '--tenant',
  'body.events': '--event',
  'body.enabled': '--enable or --disable',
  'body.overlap': '--overlap',
  'params.accountId': '<account>',
  'params.tenantId': '<tenant>',
  'params.webhookId': '<webhook>',
  'params.deliveryId': '[delivery]',
  'querystring.product': '--product',
  'querystring.slug': '--slug',
  'querystring.status': '--status',
  'querystring.provisioningStatus': '--status',
  'querystring.cloudType': '--cloud-type',
  'querystring.operation': '--operation',
  'querystring.text': '--text',
  'querystring.health': '--health',
  'querystring.drift': '--drift',
  'querystring.sort': '--sort',
  'querystring.fields': '--fields',
  'querystring.tenantId': '--tenant',
  'querystring.state': '--state',
  'querystring.type': '--type',
  'querystring.principal': '--principal',
  'querystring.outcome': '--outcome',
  'querystring.requestId': '--request-id',
  'querystring.address': '--address',
  'querystring.from': '--from',
  'querystring.to': '--to',
  'querystring.includeGone': '--all',
  'querystring.limit': '--limit',
  'querystring.cursor': '--cursor',
  'querystring.after': '--after',
  'querystring.confirm': '--confirm',
  'querystring.grace': '--grace',
  'querystring.export': '--export',
  'querystring.dryRun': '--dry-run',
};

/** A message of the API with its fields named as options. */
export function inOptionNames(message: string): string {
  return message
    .replace(/\bIf-Match\b/g, '--if-match')
    .replace(/\bbody\.settings\.(?=\w)/g, '--set ')
    .replace(/\bbody\.settings\b/g, '--set or --settings')
    .replace(
      /\b((?<=^|; )body(?=: )|(?:body|params|querystring)(?:\.\w+)+)(: is\b)?/g,
      (said: string, field: string, is: string | undefined = '') => {
        const known = optionFor(field);
        if (!known) return said;
        const isOfSeveral = known.inside.length === 0 && known.option.includes(' and ');
        return `${[known.option, ...known.inside].join(' ')}${isOfSeveral ? is.replace('is', 'are') : is}`;
      },
    );
}

/** The option of a field, or of the one that it is inside of. */
function optionFor(field: string): { readonly option: string; readonly inside: readonly string[] } | undefined {
  const parts = field.split('.');
  for (let n = parts.length; n > 1 || n === parts.length; n -= 1) {
    const option = optionOf[parts.slice(0, n).join('.')];
    if (option !== undefined) return { option, inside: n < parts.length ? [parts.slice(n).join('.')] : [] };
  }
  return undefined;
}

/** Details of an error with the option beside each field, for programs: `{ field, problem, option }`. */
export function withOptions(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { fields } = details;
  if (!Array.isArray(fields)) return details;
  return { ...details, fields: fields.map(withOption) };
}

function withOption(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('field' in given) || typeof given.field !== 'string')
    return given;
  const option = given.field.startsWith('body.settings.') ? '--set' : optionFor(given.field)?.option;
  return option === undefined ? given : { ...given, option };
}

/** What to do about a code, where the table of errors says it in terms of the API's requests. */
export const adviceInOptionNames: Readonly<Record<string, string>> = {
  INVALID_INPUT: 'Fix what the message names.',
  PRECONDITION_FAILED:
    'It was changed since it was read: read it again, and repeat with what it is now in `--if-match` or `--if-version`.',
  CONFIRMATION_REQUIRED: 'Repeat with `--confirm`, and what the message names.',
  UNKNOWN_PRODUCT: 'Give `--product` one of those that the details list.',
};
