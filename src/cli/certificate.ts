import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { z } from 'zod';
import { certificateAnswer, keysAnswer } from '../api/schemas/certificates.ts';
import { certificateDocument } from './api-client.ts';
import { utc } from './attention.ts';
import type { CheckedCommand } from './checked-command.ts';
import type { Common, Context } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { open } from './open-answers.ts';
import { counted } from './text.ts';
import { printJson } from './output.ts';
import type { SetExitCode } from './command-parts.ts';

interface CertificateOptions extends Common {
  readonly verify?: string;
  readonly keys?: string;
}

/** `tenantry tenants certificate`: what was certified of a deletion, or whether a file is what was certified. */
export function registerCertificate(command: CheckedCommand, context: () => Context, setExitCode: SetExitCode): void {
  command
    .option('--verify <file>', 'say whether this certificate is what the installation signed')
    .option(
      '--keys <file>',
      'with --verify: the public keys, as GET /api/v1/keys answers them (default: asked of the API)',
    )
    .action(async (tenant: string | undefined, options: CertificateOptions) =>
      setExitCode(
        await (options.verify === undefined
          ? show(context(), tenant, options)
          : verify(context, options.verify, options)),
      ),
    );
}

async function show(context: Context, name: string | undefined, options: Common): Promise<ExitCode> {
  const { certificate, noun, idOf } = context.subject;
  if (name === undefined)
    throw usage(`name ${noun === 'account' ? 'an account' : 'a tenant'}, or a file with --verify`);
  const answer = await certificate(context, await idOf(context, name, options));
  if (options.json) printJson(context.terminal, answer);
  else context.terminal.out.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  return exitCodes.done;
}

async function verify(context: () => Context, file: string, { keys, json }: CertificateOptions): Promise<ExitCode> {
  const signed = fromFile(file, certificateDocument);
  const known = keys === undefined ? await context().api.keys() : fromFile(keys, keysAnswer);
  const { forgeryIn } = await import('../certificates/signature.ts');
  const forgery = await forgeryIn(signed, known);
  const { terminal } = context();
  if (json) printJson(terminal, { genuine: forgery === undefined, reason: forgery ?? null });
  else terminal.out.write(`${forgery === undefined ? genuine(signed.certificate) : `NOT genuine: ${forgery}`}\n`);
  return forgery === undefined ? exitCodes.done : exitCodes.failed;
}

function genuine(certificate: unknown): string {
  const known = open(certificateAnswer.shape.certificate).safeParse(certificate);
  if (!known.success) return 'genuine, but not a certificate that this release can read';
  const { tenant, operation, resources, deletedRows = [], residues, finalDump, finalDumps = [] } = known.data;
  return (
    `genuine: ${tenant.product}/${tenant.slug} (${tenant.tenantId}) was deleted, ${utc(operation.closedAt)}; ` +
    `seen absent: ${counted(resources.length, 'resource')}${deletedRows.map(rowsText).join('')}; residues that stay until they expire or AWS forgets them: ${residues.length}; ${dumpText(finalDump, finalDumps)}`
  );
}

type Known = z.infer<typeof certificateAnswer>['certificate'];

function rowsText({ isExact, partition, rows, table }: NonNullable<Known['deletedRows']>[number]): string {
  const how = rows === null ? 'rows, not counted,' : `${isExact ? '' : 'at least '}${counted(rows, 'row')}`;
  return `; deleted: ${how} of partition ${partition} of table ${table}`;
}

function dumpText(finalDump: Known['finalDump'], dumps: NonNullable<Known['finalDumps']>): string {
  const kept = dumps.flatMap((one) =>
    one.kept
      ? [
          `${one.manifest} in bucket ${one.bucket} until ${one.expiresAt === null ? 'removed by hand' : utc(one.expiresAt)}`,
        ]
      : [],
  );
  if (kept.length > 0) return `its final dump is ${kept.join(', ')}`;
  return `no final dump was kept: ${finalDump?.why ?? 'the release that deleted it made none'}`;
}

function fromFile<T>(file: string, schema: z.ZodType<T>): T {
  let text: unknown;
  try {
    text = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw usage(`${file} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw usage(`${file} has another form: ${z.prettifyError(parsed.error)}`);
}

function usage(message: string): CommanderError {
  return new CommanderError(exitCodes.usage, 'tenantry.usage', message);
}
