import type { DriftFinding, DriftLook } from '../contracts/drift.ts';

/* What `tenantry drift` prints for people. */

/** A look at a tenant, its findings step by step. */
export function lookText({ cell, findings, outcome, product, slug, unseen, why }: DriftLook): string {
  const tenant = `${product}/${slug} in ${cell}`;
  if (outcome === 'void') return `${tenant}: not looked at: ${why ?? ''}`;
  const head = findings.length === 0 ? 'nothing differs' : `${findings.length} of what was applied differ`;
  return [
    `${tenant}: ${unseen.length > 0 && findings.length === 0 ? 'not all of it was seen' : head}`,
    ...findings.flatMap(findingLines),
    ...unseen.map(({ code, message, stepId }) => `  NOT SEEN  ${stepId}: ${code}: ${message}`),
  ].join('\n');
}

function findingLines({ field, found, is, remedy, stepId, wanted }: DriftFinding): string[] {
  const sides = is === 'missing' ? [] : [`    wanted  ${show(wanted)}`, `    found   ${show(found)}`];
  return [`  ${is.padEnd(8)}${stepId}: ${field}`, ...sides, `    by      ${remedies[remedy]}`];
}

const remedies = {
  repair: "the tenant's repair",
  resume: "the tenant's resumption",
  refresh: 'an update from the template as it is now',
  hand: 'a person: nothing of Tenantry changes it',
} as const;

function show(value: unknown): string {
  return value === null || value === undefined ? '(none)' : JSON.stringify(value);
}
