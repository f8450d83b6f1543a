import type { Common, Context } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { printJson } from './output.ts';

export interface AvailabilityOptions {
  readonly product?: string;
}

/** Whether a slug can be had. */
export async function showAvailability(
  { api, terminal }: Context,
  name: string,
  { json, product }: Common & AvailabilityOptions,
): Promise<ExitCode> {
  const answer = await api.availability(name, product);
  const { available, detail, products, reason, slug, suggestion } = answer;
  if (json === true) printJson(terminal, answer);
  else if (available) terminal.out.write(`${slug} is available (${products.join(', ')}); nothing is reserved\n`);
  else {
    const why = detail ?? reason ?? 'no reason given';
    const instead = suggestion === undefined ? '' : `; ${suggestion} is available`;
    terminal.out.write(`${slug} is not available: ${why}${instead}\n`);
  }
  return available ? exitCodes.done : exitCodes.conflict;
}
