import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { isOneOf } from './one-of.ts';
import type { Preview } from './api-client.ts';
import type { Terminal } from './output.ts';

const RESTORED = ', where it is not as it was applied';

/** Prints what a request would do: what becomes of each step that does not stay as it is, and from what to what. */
export function printPreview(
  { out }: Terminal,
  { operation, steps, expected, room, control, details, finalDump, residues = [] }: Preview,
): void {
  const touched = steps.filter(({ becomes }) => becomes !== 'keep');
  const kept = steps.length - touched.length;
  if (operation === null) {
    out.write(details ? 'it would be changed at once (nothing was changed):\n' : 'nothing would have to be changed\n');
    if (details) out.write(`  name: ${details.displayName}\n  contact: ${details.contactEmail}\n`);
    return;
  }
  const unforeseen =
    isOneOf(operationTypes, operation) && operationTable[operation].target === 'applied'
      ? RESTORED
      : ', as far as what it reads or refers to changes';
  if (control) printControl(out, control);
  if (control && touched.length === 0) return;
  out.write(`would be done (nothing was changed):\n`);
  for (const { becomes, stepId, kind, fields, calls = [], expected: takes, dropsData } of touched) {
    const follows = becomes === 'restore' ? RESTORED : becomes === 'change' && fields.length === 0 ? unforeseen : '';
    const data = dropsData === true ? ", and the tenant's data with it" : '';
    out.write(`  ${becomes.padEnd(7)}  ${stepId} (${kind})${follows}${data}${takes ? `, ${timeText(takes)}` : ''}\n`);
    for (const { field, from, to } of fields) out.write(`           ${field}: ${shown(from)} -> ${shown(to)}\n`);
    if (calls.length > 0) out.write(`           at most: ${calls.join(', ')}\n`);
  }
  out.write(`  ${kept} of ${steps.length} steps stay as they are\n`);
  if (expected !== undefined) out.write(`  time to expect: ${expected ? timeText(expected) : 'not known yet'}\n`);
  if (finalDump) out.write(`  ${finalDump.detail}\n`);
  for (const { stepId, type, reason, days } of residues)
    out.write(`  stays for a while: ${type} of ${stepId}${days === null ? '' : `, ${days} days`}: ${reason}\n`);
  if (room)
    out.write(
      `  room on its load balancer afterwards: ${room.rules.leftAfter} of ${room.rules.quota} rules, ` +
        `${room.targetGroups.leftAfter} of ${room.targetGroups.quota} target groups\n`,
    );
}

function printControl(
  out: Terminal['out'],
  { verb, operationId, state, ...then }: NonNullable<Preview['control']>,
): void {
  out.write(`${verb} of operation ${operationId} (${state}) ${then.effect}\n`);
  out.write(`the tenant is ${then.tenantStatus} afterwards (nothing was changed)\n`);
  for (const { type, name, reason } of then.leftovers) out.write(`  stays    ${type} ${name}: ${reason}\n`);
}

function timeText({ medianMs, p90Ms }: { readonly medianMs: number; readonly p90Ms: number }): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `usually ${seconds(medianMs)}, nine of ten within ${seconds(p90Ms)}`;
}

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
