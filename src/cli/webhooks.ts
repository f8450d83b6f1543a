import { CommanderError, Option } from 'commander';
import { loadApiUrl } from '../config.ts';
import { deliveryStates, webhookEventTypes } from '../contracts/webhooks.ts';
import { moment } from './attention.ts';
import type { CheckedCommand } from './checked-command.ts';
import { commandIn, LONGEST_PAGE, type SetExitCode } from './command-parts.ts';
import type { Common } from './context.ts';
import { credentialsFor } from './credentials.ts';
import { environmentApi } from './environment-api.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { wholeNumber } from './option-values.ts';
import { printJson, printTable, type Terminal } from './output.ts';
import { tenantSubject } from './subject.ts';
import { findTenantId } from './tenant-names.ts';
import { counted } from './text.ts';
import {
  createWebhooksClient,
  type Delivery,
  type Webhook,
  type WebhooksClient,
  type WebhookWithSecret,
} from './webhooks-client.ts';

const help = `
A <webhook> is an id. The secret is printed once, by create and rotate: \`--json\` for programs that store it.`;

interface Pages extends Common {
  readonly limit?: number;
  readonly cursor?: string;
}
type Changing = Common & { readonly dryRun?: boolean };
interface CreateOptions extends Changing {
  readonly product?: string;
  readonly tenant?: string;
  readonly event?: string[];
  readonly description?: string;
}
interface ChangeOptions extends Pick<CreateOptions, 'json' | 'dryRun' | 'event' | 'description'> {
  readonly url?: string;
  readonly allEvents?: true;
  readonly enable?: true;
  readonly disable?: true;
}
type DeliveryOptions = Pages & { readonly state?: string; readonly tenant?: string; readonly type?: string };
type ReplayOptions = Changing & { readonly dead?: true; readonly tenant?: string };

/** `tenantry webhooks`: where events are told of, through the API at `TENANTRY_API_URL`. */
export function registerWebhooks(program: CheckedCommand, terminal: Terminal, setExitCode: SetExitCode): void {
  const group = program
    .command('webhooks')
    .description('tell URLs of what tenants and operations come to, through the API at TENANTRY_API_URL')
    .addHelpText('after', `${exitCodesHelp}\n${help}`);
  const command = commandIn(group);
  const run = async (answer: (api: WebhooksClient) => Promise<Answer>, { json, dryRun = false }: Changing) => {
    const url = loadApiUrl();
    const api = createWebhooksClient(url, { dryRun, credentials: credentialsFor(url) });
    const { value, lines, nextCursor } = await answer(api);
    if (dryRun && json !== true) terminal.out.write('nothing is changed; it would be:\n');
    if (json === true) printJson(terminal, value);
    else printTable(terminal, lines);
    if (json !== true && nextCursor) terminal.out.write(`more: --cursor ${nextCursor}\n`);
    setExitCode(exitCodes.done);
  };
  const tenantId = (name: string | undefined, options: Common) =>
    name === undefined
      ? Promise.resolve(undefined)
      : findTenantId({ api: environmentApi(), terminal, subject: tenantSubject }, name, options);

  previewable(
    withEvents(command('create <url>', 'make a webhook: of all tenants, unless a product or a tenant is named')),
  )
    .option('--product <name>', 'of this product only')
    .option('--tenant <tenant>', 'of this tenant only')
    .option('--description <text>', 'for people')
    .contradict('--product', '--tenant')
    .action((url: string, { product, tenant, event: events, description, ...options }: CreateOptions) =>
      run(async (api) => {
        const body = { url, product, tenantId: await tenantId(tenant, options), events, description };
        const made = await api.create(body);
        return shown(made);
      }, options),
    );
  paged(command('list', 'list webhooks, oldest first'))
    .option('--product <name>', 'of this product only')
    .option('--tenant <tenant>', 'of this tenant only')
    .action(({ product, tenant, limit, cursor, ...options }: Pages & CreateOptions) =>
      run(async (api) => {
        const query = { product, tenantId: await tenantId(tenant, options), limit: limit?.toString(), cursor };
        const page = await api.list(query);
        return { value: page, lines: listLines(page.webhooks), nextCursor: page.nextCursor };
      }, options),
    );
  command('show <webhook>', 'show a webhook, and how much waits for it').action((id: string, options: Common) =>
    run(async (api) => shown(await api.get(id)), options),
  );
  previewable(
    withEvents(command('change <webhook>', 'change where it leads, what it is told of, or whether it is told')),
  )
    .option('--url <url>', 'another URL: what waits is sent there at once')
    .option('--all-events', 'all types of events')
    .option('--description <text>', 'for people')
    .option('--enable', 'send what waits')
    .option('--disable', 'send nothing: what comes waits')
    .contradict('--enable', '--disable')
    .contradict('--event', '--all-events')
    .action((id: string, { url, event, allEvents, description, enable, disable, ...options }: ChangeOptions) =>
      run(async (api) => {
        const enabled = enable ?? (disable === true ? false : undefined);
        const events = allEvents === true ? null : event;
        return shown(await api.change(id, { url, events, description, enabled }));
      }, options),
    );
  previewable(command('delete <webhook>', 'delete a webhook; what waits for it is dropped')).action(
    (id: string, options: Changing) => run(async (api) => deleted(await api.delete(id)), options),
  );
  previewable(command('rotate <webhook>', 'sign with a new secret'))
    .option('--overlap <time>', 'for how long the secret of before signs too, such as 12h or 0 (default: 24h)')
    .action((id: string, { overlap, ...options }: Changing & { readonly overlap?: string }) =>
      run(async (api) => {
        const rotated = await api.rotate(id, overlap);
        const { value, lines } = shown(rotated);
        return { value, lines: [...lines, ...earlierLines(rotated)] };
      }, options),
    );
  paged(command('deliveries <webhook>', 'list what it was told, or is to be told, newest event first'))
    .addOption(new Option('--state <state>', 'in this state only').choices(deliveryStates))
    .addOption(new Option('--type <type>', 'events of this type only').choices(webhookEventTypes))
    .option('--tenant <tenant>', 'of this tenant only')
    .action((id: string, { state, type, tenant, limit, cursor, ...options }: DeliveryOptions) =>
      run(async (api) => {
        const query = { state, type, tenantId: await tenantId(tenant, options), limit: limit?.toString(), cursor };
        const page = await api.deliveries(id, query);
        return { value: page, lines: deliveryLines(page.deliveries), nextCursor: page.nextCursor };
      }, options),
    );
  previewable(command('replay <webhook> [delivery]', 'send an event again, or, with --dead, all dead letters'))
    .option('--dead', 'all dead letters, oldest first')
    .option('--tenant <tenant>', 'with --dead: those of this tenant only')
    .action((id: string, delivery: string | undefined, { dead, tenant, ...options }: ReplayOptions) => {
      if ((delivery === undefined) === (dead === undefined) || (tenant !== undefined && dead === undefined))
        throw new CommanderError(
          exitCodes.usage,
          'tenantry.usage',
          'name a delivery, or --dead (and perhaps --tenant)',
        );
      return run(async (api) => {
        if (delivery !== undefined) {
          const again = await api.replay(id, delivery);
          return { value: again, lines: deliveryLines([again]) };
        }
        const answer = await api.replayDead(id, await tenantId(tenant, options));
        return { value: answer, lines: [[`sent again: ${answer.replayed}`]] };
      }, options);
    });
}

interface Answer {
  readonly value: object;
  readonly lines: readonly (readonly string[])[];
  /** Of a page that is not the last. */
  readonly nextCursor?: string | null;
}

function withEvents(command: CheckedCommand): CheckedCommand {
  return command.addOption(
    new Option('--event <type...>', 'types of events (create: all, unless some are named)').choices(webhookEventTypes),
  );
}

function paged(command: CheckedCommand): CheckedCommand {
  return command
    .option('--limit <n>', `entries per page, 1 to ${LONGEST_PAGE}`, wholeNumber(1, LONGEST_PAGE))
    .option('--cursor <cursor>', 'start after the page that ended with this cursor');
}

function shown(webhook: Webhook | WebhookWithSecret): Answer {
  const secret = 'secret' in webhook ? [['secret', webhook.secret]] : [];
  return { value: webhook, lines: [...webhookLines(webhook), ...secret] };
}

function deleted(webhook: Webhook): Answer {
  const { pending, deadLetters } = webhook;
  const gone = `${counted(pending, 'waiting message')}, ${counted(deadLetters, 'dead letter')}`;
  const known = webhookLines(webhook).filter(([name = '']) => ['webhook', 'url', 'description', 'of'].includes(name));
  return { value: webhook, lines: [...known, ['state', 'deleted'], ['dropped', gone]] };
}

/** Nothing of a preview, or of an API of an earlier release, which does not say. */
function earlierLines(webhook: Webhook | WebhookWithSecret): string[][] {
  if (!('secret' in webhook) || webhook.earlierSecretUntil === undefined) return [];
  const { earlierSecretUntil: until } = webhook;
  return [
    ['earlier secret', typeof until === 'string' ? `signs too until ${moment(until, Date.now())}` : 'signs no more'],
  ];
}

function previewable(command: CheckedCommand): CheckedCommand {
  return command.option('--dry-run', 'print what it would be, and change nothing');
}

function webhookLines(webhook: Webhook): string[][] {
  const { pending, pendingSince, lastDeliveredAt, failures } = webhook;
  const now = Date.now();
  const waits = pendingSince === null ? '' : ` (since ${moment(pendingSince, now)})`;
  const last = lastDeliveredAt === null ? 'never' : moment(lastDeliveredAt, now);
  return [
    ['webhook', webhook.webhookId],
    ['url', webhook.url],
    ...(webhook.description === null ? [] : [['description', webhook.description]]),
    ['of', scopeOf(webhook)],
    ['events', webhook.events?.join(', ') ?? 'all'],
    ['state', stateOf(webhook)],
    ['delivered', `${last}${failures === 0 ? '' : `; ${failures} failed attempts since`}`],
    ['waiting', `${pending}${waits}`],
    ['dead letters', `${webhook.deadLetters}`],
  ];
}

function scopeOf({ product, tenantId }: Webhook): string {
  if (tenantId !== null) return `tenant ${tenantId}`;
  return product === null ? 'all tenants' : `product ${product}`;
}

function stateOf({ enabled, disabledReason }: Webhook): string {
  return enabled ? 'enabled' : `disabled: ${disabledReason ?? 'no reason is known'}`;
}

function listLines(webhooks: readonly Webhook[]): string[][] {
  const rows = webhooks.map((w) => [
    w.webhookId,
    scopeOf(w),
    w.enabled ? 'enabled' : 'disabled',
    `${w.pending}`,
    `${w.deadLetters}`,
    w.url,
  ]);
  return [['WEBHOOK', 'OF', 'STATE', 'WAITING', 'DEAD', 'URL'], ...rows];
}

function deliveryLines(deliveries: readonly Delivery[]): string[][] {
  const now = Date.now();
  const rows = deliveries.map((d) => [
    d.deliveryId,
    `${d.eventId}`,
    d.type,
    d.tenantId,
    d.state,
    `${d.attempts}`,
    d.nextAttemptAt === null ? '-' : moment(d.nextAttemptAt, now),
    d.error ?? '-',
  ]);
  return [['DELIVERY', 'EVENT', 'TYPE', 'TENANT', 'STATE', 'ATTEMPTS', 'NEXT', 'RECEIVER'], ...rows];
}
