import { currentCallContext, inCallContext } from '../aws/call-context.ts';
import type { CellAws } from '../aws/cell-aws.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { AskedStep } from './asked-steps.ts';
import type { Check } from './verdict.ts';

/** AWS is asked for so long why something does not answer, in ms; its calls wait for their turn behind all operations'. */
const EXPLAINED_WITHIN_MS = 10_000;
const LONGEST_REASON = 1_000;

interface Seen {
  readonly checks: readonly Check[];
  readonly steps: readonly AskedStep[];
  readonly reason: string | null;
}

/** The reason of a verdict, with what the services of what failed say themselves. Never throws. */
export async function explain(
  { aws, kinds }: { readonly aws: (cellId: string) => CellAws; readonly kinds: KindRegistry },
  cell: string,
  { checks, steps, reason }: Seen,
): Promise<string | null> {
  if (reason === null) return null;
  const failed = checks.filter(({ seen }) => seen === 'failed' || seen === 'slow').map(({ stepId }) => stepId);
  const asked = steps.filter(({ stepId }) => failed.includes(stepId));
  const said = await Promise.all(
    asked.map(async ({ kind, step, stepId }) => {
      const phrase = await withinTime(async () => kinds.kinds.get(kind)?.health?.explain?.(step, aws(cell)));
      return phrase === undefined ? [] : [`${stepId}: ${phrase}`];
    }),
  );
  const all = said.flat();
  return (all.length === 0 ? reason : `${reason} (${all.join('; ')})`).slice(0, LONGEST_REASON);
}

/** What is not found out in time is left out: that something does not answer is told all the same. */
async function withinTime<T>(look: () => Promise<T>): Promise<T | undefined> {
  const over = AbortSignal.timeout(EXPLAINED_WITHIN_MS);
  const context = currentCallContext();
  if (!context) return undefined;
  const untilMs = Date.now() + EXPLAINED_WITHIN_MS;
  const signal = AbortSignal.any([context.signal, over]);
  return inCallContext({ ...context, signal, untilMs: () => untilMs }, look).catch(() => undefined);
}
