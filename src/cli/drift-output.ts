import { driftRemedies, type DriftLook, type DriftRemedy } from '../contracts/drift.ts';
import { isOneOf } from './one-of.ts';
import { counted, oneLine } from './text.ts';

/* What the commands print of drift for people. */

/** A look at a tenant, its findings step by step. */
export function lookText({ cell, findings, outcome, product, slug, unseen, why }: DriftLook): string {
  const name = `${product}/${slug}`;
  const tenant = `${name} in ${cell}`;
  if (outcome === 'void') return `${tenant}: NOT LOOKED AT: ${why ?? ''}`;
  const head = findings.length === 0 ? 'nothing differs' : differencesText(findings.length);
  return [
    `${tenant}: ${unseen.length > 0 && findings.length === 0 ? 'some of it could not be seen' : head}`,
    ...findings.flatMap((finding) => findingLines(finding, name)),
    ...unseen.map(({ code, message, stepId }) => `  NOT SEEN  ${stepId}: ${code}: ${message}`),
  ].join('\n');
}

/** What came of the looks at several tenants, in one line. */
export function totalText(looks: readonly DriftLook[]): string {
  const parts = looked.flatMap(({ outcome, text }) => {
    const n = looks.filter((look) => look.outcome === outcome).length;
    return n === 0 ? [] : [`${n} ${text}`];
  });
  const total = counted(looks.length, 'tenant');
  return parts.length === 0 ? total : `${total}: ${parts.join(', ')}`;
}

/** `1 difference from what was applied` */
export function differencesText(count: number): string {
  return `${counted(count, 'difference')} from what was applied`;
}

/** A difference in one line: which kind, of what, and what was wanted and found. */
export function differenceText({
  field,
  found,
  is,
  wanted,
}: {
  readonly field: string;
  readonly is: string;
  readonly found: unknown;
  readonly wanted: unknown;
}): string {
  if (is === 'missing') return oneLine(`missing: ${field}`);
  if (is === 'extra') return oneLine(`extra: ${field} ${show(found)}`);
  return oneLine(`${is}: ${field}: ${show(wanted)} -> ${show(found)}`);
}

const looked = [
  { outcome: 'none', text: 'as applied' },
  { outcome: 'drift', text: 'with differences' },
  { outcome: 'unknown', text: 'not wholly seen' },
  { outcome: 'void', text: 'not looked at' },
] as const;

/** @param name the tenant's, in commands */
export function findingLines({ field, found, is, remedy, stepId, wanted }: Finding, name: string): string[] {
  const sides = is === 'missing' ? [] : [`    wanted  ${show(wanted)}`, `    found   ${show(found)}`];
  return [`  ${is.padEnd(8)}${stepId}: ${field}`, ...sides, `    to do   ${remedyText(remedy, name)}`].map(oneLine);
}

interface Finding {
  readonly stepId: string;
  readonly is: string;
  readonly field: string;
  readonly wanted: unknown;
  readonly found: unknown;
  /** One of {@link DriftRemedy}, or what a later release has. */
  readonly remedy: string;
}

/** The command that brings it back, to be copied. */
function remedyText(remedy: string, name: string): string {
  return isOneOf(driftRemedies, remedy) ? commandText(remedy, name) : remedy;
}

function commandText(remedy: DriftRemedy, name: string): string {
  switch (remedy) {
    case 'repair':
      return `tenantry tenants repair ${name}`;
    case 'resume':
      return `tenantry tenants resume ${name}`;
    case 'refresh':
      return `tenantry tenants update ${name} --refresh   (from the template as it is now)`;
    case 'hand':
      return 'correct it by hand: no command of Tenantry changes it';
  }
}

function show(value: unknown): string {
  return value === null || value === undefined ? '(none)' : JSON.stringify(value);
}
