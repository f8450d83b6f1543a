import { operationTable } from '../../contracts/operation-table.ts';
import { cancelRefusal, retryRefusal } from '../../contracts/applicability.ts';
import type { Failure } from '../../contracts/errors.ts';
import type { Grace } from '../../contracts/grace.ts';
import type { Leftover, LeftoverCondition, OperationPlan, Progress } from '../../contracts/messages.ts';
import type { TenantStatus } from '../../contracts/tenant-status.ts';

export interface DetailsInput extends Progress {
  readonly plan: OperationPlan;
  readonly tenantStatus: TenantStatus;
  readonly seen: ReadonlyMap<string, string>;
  readonly workflowId: string;
  readonly nowMs: number;
}

/** The workflow's current details, in Markdown: with Temporal's UI alone an operator knows what goes on and what to do. */
export function detailsOf(input: DetailsInput): string {
  const { plan } = input;
  return [
    `**${plan.product}/${plan.slug}** (tenant \`${plan.tenantId}\`): ${input.tenantStatus}`,
    `Operation \`${plan.operationId}\` (${plan.type}, generation ${input.generation}): **${input.state}**`,
    ...(isWaiting(input) ? [`Nothing is removed before ${plan.graceUntil ?? ''}.`] : []),
    ...(input.failure ? [failureLine(input.failure)] : []),
    Object.entries(input.steps)
      .map(([id, progress]) => `- ${id}: ${progress}${suffix(input.seen.get(id))}`)
      .join('\n'),
    ...leftoverParagraphs(input.leftovers ?? []),
    ...choices(input),
  ].join('\n\n');
}

function failureLine({ code, message, stepId, detail }: Failure): string {
  return `Failed${stepId === undefined ? '' : ` at \`${stepId}\``}: **${code}**: ${message}${suffix(detail)}`;
}

const headings: Readonly<Record<LeftoverCondition, string>> = {
  missing: 'Missing',
  changed: 'Not as it was applied',
  left: 'Left over',
  'not-looked-at': 'Not looked at',
};

function leftoverParagraphs(leftovers: readonly Leftover[]): string[] {
  return Object.entries(headings).flatMap(([condition, heading]) => {
    const of = leftovers.filter((left) => (left.condition ?? 'left') === condition);
    return of.length > 0 ? [`${heading}:\n\n${of.map(leftoverLine).join('\n')}`] : [];
  });
}

function leftoverLine({ type, name, stepId, reason }: Leftover): string {
  return `- ${type} \`${name}\` of ${stepId}: ${reason}`;
}

function graceOf({ plan: { graceUntil }, nowMs }: DetailsInput): Grace | undefined {
  return graceUntil === undefined ? undefined : { untilMs: Date.parse(graceUntil), nowMs };
}

function isWaiting(input: DetailsInput): boolean {
  const grace = graceOf(input);
  return grace !== undefined && cancelRefusal(input.plan.type, input.state, grace) === undefined;
}

function choices(input: DetailsInput): string[] {
  const { plan, state, workflowId } = input;
  const command = (name: string) => `\`temporal workflow signal -w ${workflowId} --name ${name}\``;
  const can = [
    ...(retryRefusal(state) === undefined ? [`- \`retry\`: ${command('retry')}`] : []),
    ...(cancelRefusal(plan.type, state, graceOf(input)) === undefined
      ? [
          `- \`cancel\` (${isWaiting(input) ? 'the tenant stays' : (operationTable[plan.type].words.rolledBackTo ?? 'rolls back')}): ${command('cancel')}`,
        ]
      : []),
  ];
  return can.length === 0 ? [] : [`You can:\n\n${can.join('\n')}`];
}

function suffix(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}
