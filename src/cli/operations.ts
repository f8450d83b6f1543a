import type { Operation } from './api-client.ts';
import { utc } from './attention.ts';
import type { Common, Context } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { printJson, printTable } from './output.ts';
import { callerText } from './progress.ts';

/** Prints the operations of a tenant, newest first. */
export async function printOperations(context: Context, name: string, options: Common): Promise<ExitCode> {
  const { api, subject, terminal } = context;
  const operations = await api.operations(await subject.idOf(context, name, options));
  if (options.json) printJson(terminal, { operations });
  else
    printTable(terminal, [
      ['OPERATION', 'TYPE', 'STATE', 'ACCEPTED', 'CLOSED', 'ASKED BY', 'FAILURE'],
      ...operations.map((one) => row(one, subject.operationText(one.type))),
    ]);
  return exitCodes.done;
}

function row({ acceptedAt, caller, closedAt, failure, operationId, state }: Operation, type: string): string[] {
  return [
    operationId,
    type,
    state,
    utc(acceptedAt),
    closedAt === null ? '-' : utc(closedAt),
    caller === undefined ? '-' : callerText(caller),
    failure === undefined ? '-' : `${failure.code}${failure.stepId === undefined ? '' : ` at ${failure.stepId}`}`,
  ];
}
