import { z } from 'zod';
import type { StepContext } from '../framework/kind.ts';
import { path, text, textValue } from '../framework/values.ts';

/** `paths` empty: a host rule (band 25000-49999); else a path rule (band 1000-24999). */
export const ruleSpec = z.strictObject({
  loadBalancerArn: text,
  host: text,
  paths: z.array(path),
  targetGroupArn: textValue,
});
export const ruleOutputs = z.strictObject({ arn: z.string(), priority: z.number() });

export type RuleSpec = z.output<typeof ruleSpec>;
export type RuleOutputs = z.output<typeof ruleOutputs>;
export type RuleContext = StepContext<RuleSpec, RuleOutputs>;
