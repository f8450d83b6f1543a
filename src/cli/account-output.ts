import { failureLine } from '../contracts/errors.ts';
import { operationText } from './account-subject.ts';
import { inAccountWords } from '../products/accounts/words.ts';
import type { Account, AccountStatus } from './accounts-client.ts';
import { moment, utc } from './attention.ts';
import { printAttention, printTable, workerNotice, type Terminal } from './output.ts';
import { oneLine } from './text.ts';

export function printAccounts(terminal: Terminal, accounts: readonly Account[]): void {
  const rows = accounts.map((account) => [
    account.id,
    account.cloudType,
    account.provisioningStatus,
    operationOf(account),
    account.masterAccountName ?? '-',
    account.tableName ?? '-',
    utc(account.createdAt),
    account.name,
  ]);
  printTable(terminal, [
    ['ACCOUNT', 'CLOUD TYPE', 'STATUS', 'OPERATION', 'MASTER ACCOUNT', 'TABLE', 'CREATED', 'NAME'],
    ...rows,
  ]);
}

/** An API of an earlier release does not tell it. */
function operationOf({ openOperation: open }: Account): string {
  if (open === undefined) return 'not known';
  return open === null ? '-' : `${operationText(open.type)} ${open.state}`;
}

/** @param status undefined: it could not be read */
export function printAccount(terminal: Terminal, account: Account, status: AccountStatus | undefined): void {
  const nowMs = Date.now();
  const { technicalUser: user, deletesAt } = account;
  printRows(terminal, [
    ['account', account.id],
    ['name', account.name],
    ['cloud type', account.cloudType],
    ['status', account.provisioningStatus],
    ['under way', underWay(account, status, nowMs)],
    ['failure', account.provisioningError],
    ['table', account.tableName ?? undefined],
    ['master', account.masterAccountName ?? undefined],
    ['user', user ? [user.name, user.username, user.email].flatMap((part) => part ?? []).join(', ') : undefined],
    ...account.addresses.map((address) => ['address', Object.values(address).join(', ')] as const),
    ...account.licenses.map((license) => ['license', licenseText(license)] as const),
    ['cell', account.cell],
    ['created', moment(account.createdAt, nowMs)],
    ['active since', account.activatedAt === null ? undefined : moment(account.activatedAt, nowMs)],
    ['removed', deletesAt === null ? undefined : graceText(deletesAt, nowMs)],
    ['deleted', account.deletedAt === null ? undefined : moment(account.deletedAt, nowMs)],
  ]);
}

export function printStatus(terminal: Terminal, status: AccountStatus): void {
  const nowMs = Date.now();
  const { operation, deletesAt } = status;
  const waits = typeof deletesAt === 'string';
  printRows(terminal, [
    ['account', status.id],
    ['status', status.provisioningStatus],
    ['failure', status.attention || !status.error ? undefined : failureLine(status.error)],
    ['operation', operationLine(operation, waits)],
    ['since', moment(status.startedAt, nowMs)],
    ['removed', waits ? graceText(deletesAt, nowMs) : undefined],
    ['steps', `${status.stepsDone.length} of ${status.stepsTotal}`],
    ['under way', status.currentSteps.length > 0 ? status.currentSteps.join(', ') : undefined],
    ['waiting', workerNotice(status)],
  ]);
  printAttention(terminal, status, inAccountWords);
}

/** What is being done to an account, and since when; undefined: nothing. */
function underWay(account: Account, status: AccountStatus | undefined, nowMs: number): string | undefined {
  const open = account.openOperation === undefined ? openOf(status) : account.openOperation;
  if (open === undefined) return 'not known: its status cannot be read now';
  if (open === null) return undefined;
  const { operationId, since } = open;
  const steps = status?.operation.operationId === operationId ? status.currentSteps : [];
  const began = since === undefined ? '' : `, since ${moment(since, nowMs)}`;
  const at = steps.length > 0 ? `, at ${steps.join(', ')}` : '';
  return `${operationLine(open, account.deletesAt !== null)}${began}${at}`;
}

/** @param waits it begins when the grace period is over */
function operationLine({ operationId, state, type }: AccountStatus['operation'], waits: boolean): string {
  return `${operationText(type)} ${waits ? 'in its grace period' : state} (${operationId})`;
}

/** As the status tells it: an API of an earlier release does not tell it of the account. Undefined: not known. */
function openOf(status: AccountStatus | undefined): Account['openOperation'] {
  if (!status) return undefined;
  return status.outcome === null ? { ...status.operation, since: status.startedAt } : null;
}

function licenseText(license: Account['licenses'][number]): string {
  const { enterpriseId, productId, serviceId, startDate, endDate, contactFullName, contactEmail } = license;
  return `${enterpriseId} ${productId} ${serviceId}, ${startDate} to ${endDate} (${contactFullName}, ${contactEmail})`;
}

function graceText(deletesAt: string, nowMs: number): string {
  return `not before ${moment(deletesAt, nowMs)}; until then \`tenantry accounts cancel\` keeps it`;
}

function printRows(terminal: Terminal, rows: readonly (readonly [string, string | undefined])[]): void {
  printTable(
    terminal,
    rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, oneLine(value)]])),
  );
}
