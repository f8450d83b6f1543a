import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { isOneOf } from './one-of.ts';
import type { Preview } from './api-client.ts';
import type { Terminal } from './output.ts';

const RESTORED = ', where it is not as it was applied';

/** Prints what a request would do: what becomes of each step that does not stay as it is, and from what to what. */
export function printPreview({ out }: Terminal, { operation, steps }: Preview): void {
  const touched = steps.filter(({ becomes }) => becomes !== 'keep');
  const kept = steps.length - touched.length;
  if (operation === null) {
    out.write('nothing would have to be changed\n');
    return;
  }
  const unforeseen =
    isOneOf(operationTypes, operation) && operationTable[operation].target === 'applied'
      ? RESTORED
      : ', as far as what it reads or refers to changes';
  out.write(`would be done (nothing was changed):\n`);
  for (const { becomes, stepId, kind, fields } of touched) {
    const follows = becomes === 'restore' ? RESTORED : becomes === 'change' && fields.length === 0 ? unforeseen : '';
    out.write(`  ${becomes.padEnd(7)}  ${stepId} (${kind})${follows}\n`);
    for (const { field, from, to } of fields) out.write(`           ${field}: ${shown(from)} -> ${shown(to)}\n`);
  }
  out.write(`  ${kept} of ${steps.length} steps stay as they are\n`);
}

function shown(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}
