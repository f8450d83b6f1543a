import type { Status, Tenant } from './api-client.ts';

/** Where commands write: people's and programs' output to `out`, everything else to `err`. */
export interface Terminal {
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out.write(`${JSON.stringify(value)}\n`);
}

export function printTenants(terminal: Terminal, tenants: readonly Tenant[]): void {
  const rows = tenants.map((t) => [t.tenantId, t.product, t.slug, t.status, t.createdAt, t.tenantUrl]);
  printTable(terminal, [['TENANT', 'PRODUCT', 'SLUG', 'STATUS', 'CREATED', 'URL'], ...rows]);
}

export function printTenant(terminal: Terminal, tenant: Tenant, status: Status): void {
  const { operation } = status;
  const rows: (readonly [string, string | undefined])[] = [
    ['tenant', tenant.tenantId],
    ['name', tenant.displayName],
    ['product', tenant.tier === null ? tenant.product : `${tenant.product} (${tenant.tier})`],
    ['slug', tenant.slug],
    ['contact', tenant.contactEmail],
    ['url', tenant.tenantUrl],
    ['status', tenant.cleanupPending ? `${tenant.status} (something is left to clean up)` : tenant.status],
    ['operation', `${operation.type} ${operation.state} (${operation.operationId})`],
    ['steps', `${status.stepsDone.length} of ${status.stepsTotal}`],
    ['under way', status.currentSteps.length > 0 ? status.currentSteps.join(', ') : undefined],
    ['failure', status.error && `${status.error.code}: ${status.error.message}`],
    ['detail', status.error?.detail],
    ['created', tenant.createdAt],
    ['active since', tenant.activatedAt ?? undefined],
    ['deleted', tenant.deletedAt ?? undefined],
  ];
  printTable(
    terminal,
    rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  printLeftovers(terminal, status);
}

/** What an undo could not take away, one line each. */
export function printLeftovers(terminal: Terminal, { leftovers = [] }: Pick<Status, 'leftovers'>): void {
  if (leftovers.length === 0) return;
  terminal.out.write('left over:\n');
  for (const left of leftovers) {
    terminal.out.write(
      `  ${left.stepId}  ${left.type} ${clean(left.physicalId ?? left.name)}: ${clean(left.reason)}\n`,
    );
  }
}

function printTable(terminal: Terminal, rows: readonly (readonly string[])[]): void {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === columns - 1 ? clean(cell) : clean(cell).padEnd(widths[i] ?? 0)));
    terminal.out.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

/** Texts of tenants and of AWS must not move the cursor. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
