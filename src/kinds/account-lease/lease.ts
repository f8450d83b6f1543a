import { defaultLeaseSeconds, leaseBounds, parseLeaseSeconds } from '../../accounts-router/fence.ts';
import type { CellAws } from '../../aws/cell-aws.ts';
import { StepError } from '../../contracts/step-error.ts';

/**
 * For how long routers go by what they read, in seconds: as SSM tells them, or longer where the step says so. What a cell's description
 * says may be older than the parameter.
 * @param least what the step was resolved with
 * @throws StepError INVALID_REQUEST when the parameter holds no lease, or what AWS says when it cannot be read
 */
export async function readLease(
  { markedParameters }: Pick<CellAws, 'markedParameters'>,
  parameter: string,
  least: number,
): Promise<number> {
  const value = await markedParameters.findValue(parameter);
  try {
    // Where there is none, routers go by their own default.
    return Math.max(least, value === undefined ? defaultLeaseSeconds : parseLeaseSeconds(value));
  } catch (cause) {
    throw new StepError('INVALID_REQUEST', `it is not known for how long routers go by what they read`, {
      detail: `parameter ${parameter} holds ${JSON.stringify(value)}, which is no whole number of seconds from ${leaseBounds.leastSeconds} to ${leaseBounds.mostSeconds}: correct it, then retry`,
      cause,
    });
  }
}
