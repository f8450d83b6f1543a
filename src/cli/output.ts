import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { slugReservedUntil } from '../contracts/slug-quarantine.ts';
import { unsettledKinds, unsettledWords } from '../contracts/unsettled.ts';
import { addressText } from './addresses.ts';
import type { ListedTenant, Status, Tenant, TenantDrift, SparseTenantPage } from './api-client.ts';
import { attentionLines, moment, utc, type Attended } from './attention.ts';
import { differencesText, findingLines } from './drift-output.ts';
import { isolationLine } from './isolation-line.ts';
import { isOneOf } from './one-of.ts';
import { callerText } from './progress.ts';
import { oneLine } from './text.ts';

/** Where commands write: people's and programs' output to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  /** Where people answer questions. */
  readonly input?: NodeJS.ReadStream;
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out.write(`${JSON.stringify(value)}\n`);
}

export function printTenants(terminal: Terminal, tenants: readonly ListedTenant[]): void {
  const rows = tenants.map((t) => [
    t.tenantId,
    t.product,
    t.slug,
    statusText(t.status, t.outcome),
    t.health?.status ?? '-',
    driftWord(t),
    whatGoesOn(t),
    utc(t.createdAt),
    addressText(t) ?? '-',
  ]);
  printTable(terminal, [
    ['TENANT', 'PRODUCT', 'SLUG', 'STATUS', 'HEALTH', 'DRIFT', 'OPERATION', 'CREATED', 'URL'],
    ...rows,
  ]);
}

/** Only these fields of each tenant, named with commas between, and its id: what is no text as JSON, but for its health. */
export function printFields(terminal: Terminal, tenants: SparseTenantPage['tenants'], fields: string): void {
  const names = [...new Set(['tenantId', ...fields.split(',')])];
  const cells = (tenant: SparseTenantPage['tenants'][number]) => {
    const shown: Readonly<Record<string, unknown>> = { ...tenant, health: tenant.health?.status };
    return names.map((name) => cellText(shown[name]));
  };
  printTable(terminal, [names, ...tenants.map(cells)]);
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `failed` alone does not tell a creation that somebody took back from one that could not be done. */
export function statusText(status: string, outcome: Status['outcome']): string {
  if (status !== 'failed' || !outcome || !isOneOf(operationTypes, outcome.type)) return status;
  if (!operationTable[outcome.type].createsTenant) return status;
  if (outcome.state === 'cancelled') return `${status} (creation cancelled)`;
  return outcome.state === 'rolled-back' ? `${status} (rolled back)` : status;
}

function whatGoesOn(tenant: ListedTenant): string {
  const { isolation, openOperation } = tenant;
  const notice = isolation ? `isolation ${isolation.state}` : undefined;
  const operation = openOperation ? `${openOperation.type} ${openOperation.state}` : amissText(tenant);
  return [operation, notice].flatMap((text) => text ?? []).join(', ') || '-';
}

/** What is not as it is to be; undefined: nothing. An API of an earlier release says only that something is left. */
function amissText({ cleanupPending, unsettled }: Pick<Status, 'cleanupPending' | 'unsettled'>): string | undefined {
  if (!cleanupPending) return undefined;
  const kind = unsettled ?? 'left';
  return unsettledWords[isOneOf(unsettledKinds, kind) ? kind : 'unknown'];
}

/** As it was seen last; what somebody has changed since may make it another. */
function driftWord({ drift }: ListedTenant): string {
  if (!drift) return '-';
  if (drift.findings > 0) return `${drift.findings}${drift.state === 'drift' ? '' : '?'}`;
  return drift.state === 'unknown' ? 'unknown' : 'none';
}

export function printTenant(
  terminal: Terminal,
  tenant: Tenant,
  status: Status,
  { findings = [], suspended }: Seen = {},
): void {
  const { operation } = status;
  const nowMs = Date.now();
  const stands = statusText(tenant.status, status.outcome);
  // The status has the list as it is now.
  const amiss = amissText(status);
  const waits = status.deletesAt ?? undefined;
  const rows: (readonly [string, string | undefined])[] = [
    ['tenant', tenant.tenantId],
    ['name', tenant.displayName],
    ['product', tenant.tier === null ? tenant.product : `${tenant.product} (${tenant.tier})`],
    ['cell', tenant.cell],
    ['slug', slugText(tenant, nowMs)],
    ['contact', tenant.contactEmail],
    ['url', addressText({ ...tenant, deletesAt: status.deletesAt })],
    ['status', amiss === undefined ? stands : `${stands} (${amiss})`],
    ['suspended', suspended],
    ['settings', settingsText(tenant.settings)],
    ['health', healthText(tenant, nowMs)],
    ['isolation', tenant.isolation ? isolationLine(tenant.isolation) : undefined],
    ['drift', driftText(status, nowMs)],
    ['operation', `${operation.type} ${waits ? 'in its grace period' : operation.state} (${operation.operationId})`],
    [
      'removed',
      waits
        ? `not before ${moment(waits, nowMs)}; until then it stays as it is, and \`tenantry tenants cancel\` keeps it`
        : undefined,
    ],
    ['asked by', operation.caller === undefined ? undefined : callerText(operation.caller)],
    ['steps', `${status.stepsDone.length} of ${status.stepsTotal}`],
    ['waiting', workerNotice(status)],
    ['under way', status.currentSteps.length > 0 ? status.currentSteps.join(', ') : undefined],
    ...(status.awaited ?? []).map(
      ({ stepId, since, detail }) =>
        [
          'waits for',
          `${stepId} to be ready, since ${moment(since, nowMs)}${detail === null ? '' : `: ${detail}`}`,
        ] as const,
    ),
    ...(status.retrying ?? []).map(
      ({ stepId, failure: { code, message } }) =>
        ['tried again', `${stepId}, because the last attempt failed: ${code}: ${message}`] as const,
    ),
    // What waits for a person says it again, with all else that belongs to it.
    ['failure', status.attention ? undefined : status.error && `${status.error.code}: ${status.error.message}`],
    ['detail', status.attention ? undefined : status.error?.detail],
    ['created', moment(tenant.createdAt, nowMs)],
    ['active since', tenant.activatedAt === null ? undefined : moment(tenant.activatedAt, nowMs)],
    ['deleted', tenant.deletedAt === null ? undefined : moment(tenant.deletedAt, nowMs)],
  ];
  printTable(
    terminal,
    rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  if (findings.length > 0) {
    const lines = findings.flatMap((finding) => findingLines(finding, `${tenant.product}/${tenant.slug}`));
    terminal.out.write(`\nnot as it was applied\n${lines.join('\n')}\n`);
  }
  printAttention(terminal, status);
}

/** What was chosen, field by field; undefined: an API of an earlier release does not say. */
function settingsText(settings: Tenant['settings']): string | undefined {
  if (settings === undefined) return undefined;
  const chosen = leaves(settings).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
  return chosen.length === 0 ? "none chosen: the product's and the template's own" : chosen.join(' ');
}

function leaves(value: unknown, path: readonly string[] = []): (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path.join('.'), value]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

/** What was read of a tenant besides its status. */
interface Seen {
  readonly findings?: TenantDrift['findings'] | undefined;
  /** Since when, by whom and why. */
  readonly suspended?: string | undefined;
}

/** Undefined: nobody has looked yet. */
function driftText({ drift }: Status, nowMs: number): string | undefined {
  if (!drift) return undefined;
  const { state, findings, since, lookedAt } = drift;
  const when = `(looked at ${moment(lookedAt, nowMs)})`;
  if (findings === 0 && state === 'none') return `nothing differs ${when}`;
  const found = findings === 0 ? undefined : differencesText(findings);
  const began = found !== undefined && since !== null ? ` since ${moment(since, nowMs)}` : '';
  if (state !== 'unknown') return `${found ?? state}${began} ${when}`;
  const why = 'something was not seen, or an operation was accepted since';
  return found === undefined ? `not known: ${why} ${when}` : `${found}${began}; may have changed: ${why} ${when}`;
}

/** Undefined: it is not in service, or was not looked at yet. */
function healthText({ health }: Tenant, nowMs: number): string | undefined {
  if (!health) return undefined;
  const { lastLook, lookedAt, outdatedSince, reason, reasonAt, since, status } = health;
  const found = lastLook && lastLook.status !== status ? ` and ${lookText(lastLook)}` : '';
  const old = typeof outdatedSince === 'string' ? `, before an operation was at work until ${utc(outdatedSince)}` : '';
  const when = typeof reasonAt === 'string' && reasonAt !== lookedAt ? ` (as seen ${utc(reasonAt)})` : '';
  const why = reason === null ? '' : `: ${reason}${when}`;
  return `${status} since ${moment(since, nowMs)}${why}; looked at ${moment(lookedAt, nowMs)}${old}${found}`;
}

/** It differs from the verdict, which goes by several. */
function lookText({ status, inARow, needed }: NonNullable<NonNullable<Tenant['health']>['lastLook']>): string {
  return `found ${status}, ${inARow} of the ${needed} looks in a row that count`;
}

/** A tenant's slug, and of a removed tenant until when nobody can create another one with it. */
export function slugText(tenant: Tenant, nowMs: number): string {
  const until = slugReservedUntil(tenant, nowMs);
  return until === undefined ? tenant.slug : `${tenant.slug} stays reserved until ${moment(until, nowMs)}`;
}

/** Of an open operation: that nobody carries it out, and since when. Undefined when somebody may. */
export function workerNotice({ workers }: Pick<Status, 'workers'>): string | undefined {
  if (workers?.state !== 'none') return undefined;
  return `${workers.detail}; nothing is carried out until one is started (\`tenantry worker\`)`;
}

/** What waits for a person, with a line of its own before it. */
export function printAttention(terminal: Terminal, status: Attended, words?: (text: string) => string): void {
  const lines = attentionLines(status, Date.now(), terminal.out.columns || PLAIN_WIDTH, words);
  if (lines.length > 0) terminal.out.write(`\n${lines.join('\n')}\n`);
}

const PLAIN_WIDTH = 100;

export function printTable(terminal: Terminal, rows: readonly (readonly string[])[]): void {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === columns - 1 ? oneLine(cell) : oneLine(cell).padEnd(widths[i] ?? 0)));
    terminal.out.write(`${cells.join('  ').trimEnd()}\n`);
  }
}
