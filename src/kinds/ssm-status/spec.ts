import { z } from 'zod';
import { leaseBounds } from '../../accounts-router/fence.ts';
import type { StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';
import { parameterName, parameterPath } from '../ssm-parameters/spec.ts';

/** Longest that a removal waits for what others may have read before, in seconds. */
export const LONGEST_DRAIN_S = leaseBounds.mostSeconds;

const word = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a word of letters, digits, _ and -, of 64 at most');

/**
 * `statusParameter`, `errorParameter`: their names below `path`; another step makes them. `ready`: the word that the step writes; without
 * one it writes nothing until it is removed. `failed`, `removing`: what its removal writes. `drainSeconds`: for how long whoever read the
 * status before that may still go by it; `drainParameter`: an SSM parameter that may say more than that.
 */
export const statusSpec = z
  .strictObject({
    path: parameterPath,
    statusParameter: parameterName,
    errorParameter: parameterName,
    ready: word.optional(),
    failed: word,
    removing: word,
    drainSeconds: z.int().min(1).max(LONGEST_DRAIN_S).optional(),
    drainParameter: text.optional(),
  })
  .superRefine((spec, context) => {
    for (const message of problemsOf(spec)) context.addIssue({ code: 'custom', message });
  });
/** `name`: of the status parameter, with its path. */
export const statusOutputs = z.strictObject({ name: z.string() });

export type StatusSpec = z.output<typeof statusSpec>;
export type StatusOutputs = z.output<typeof statusOutputs>;
export type StatusContext = StepContext<StatusSpec, StatusOutputs>;

function problemsOf({ errorParameter, failed, ready, removing, statusParameter }: StatusSpec): string[] {
  return [
    ...(statusParameter === errorParameter ? ['statusParameter and errorParameter are one'] : []),
    ...(ready === failed || ready === removing ? [`"${ready}" is the word of a removal as well`] : []),
  ];
}
