import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import { StepError } from '../../contracts/step-error.ts';
import { priorityBands, type PriorityBand } from '../../db/allocations.ts';
import type { StepContext } from '../framework/kind.ts';
import type { RuleOutputs } from './spec.ts';

type Context = Pick<StepContext, 'aws'> & { readonly previous: Partial<RuleOutputs> };

/** The priority that a rule was made with; that of one which was not made by this step's last attempt is as it is. */
export function madePriority({ previous }: Pick<Context, 'previous'>, { arn, priority }: ListenerRule): number {
  return arn === previous.arn && previous.priority !== undefined ? previous.priority : priority;
}

/**
 * Moves a rule of the tenant back to the priority that it was made with. Where another rule has that by now it stays where it is, as long
 * as that is in its band: there it comes neither before what it must not nor after.
 * @returns the priority that it has then
 * @throws StepError OWNERSHIP_CONFLICT
 */
export async function moveBack(context: Context, rule: ListenerRule, band: PriorityBand): Promise<number> {
  const wanted = madePriority(context, rule);
  if (wanted === rule.priority || (await context.aws.loadBalancing.moveRule(rule.arn, wanted))) return wanted;
  const { first, last } = priorityBands[band];
  if (rule.priority >= first && rule.priority <= last) return rule.priority;
  throw new StepError('OWNERSHIP_CONFLICT', `priority ${wanted} of the tenant's rule has another rule by now`, {
    detail: `${rule.arn} was moved to ${rule.priority}, outside of its band (${first} to ${last})`,
  });
}
