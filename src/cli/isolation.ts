import { setTimeout as sleep } from 'node:timers/promises';
import type { Isolated, IsolationPreview } from './api-client.ts';
import type { Common, Context } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { interruptible, interruptibleRequest } from './interruption.ts';
import { isolationLine, type Isolation } from './isolation-line.ts';
import { printJson } from './output.ts';
import { findTenantId } from './tenant-names.ts';

export interface IsolationOptions extends Common {
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

/** Lets a notice answer in the place of a tenant, and waits until it does. */
export async function isolate(
  context: Context,
  name: string,
  options: IsolationOptions & { readonly reason: string },
): Promise<ExitCode> {
  const { api } = context;
  const tenantId = await findTenantId(context, name, options);
  if (options.dryRun === true)
    return showPreview(context, await api.previewIsolation(tenantId, options.reason), options, 'would be made');
  return changed(context, tenantId, options, () => api.isolate(tenantId, options.reason), isOn);
}

/** Takes the notice away, and waits until it is gone. */
export async function liftIsolation(context: Context, name: string, options: IsolationOptions): Promise<ExitCode> {
  const { api } = context;
  const tenantId = await findTenantId(context, name, options);
  if (options.dryRun === true)
    return showPreview(context, await api.previewLifting(tenantId), options, 'would be removed');
  return changed(context, tenantId, options, () => api.liftIsolation(tenantId), isOff);
}

const isOn = (isolation: Isolation) => isolation?.state === 'on';
/** Somebody may have asked for it again meanwhile: then nothing is left to wait for. */
const isOff = (isolation: Isolation) => !isolation || isolation.wanted;

const LOOK_EVERY_MS = 500;

async function changed(
  context: Context,
  tenantId: string,
  options: IsolationOptions,
  send: () => Promise<Isolated>,
  isDone: (isolation: Isolation) => boolean,
): Promise<ExitCode> {
  const { terminal } = context;
  const look = `tenantry tenants show ${tenantId}`;
  const accepted = await interruptibleRequest(terminal, options, look, send);
  if (!options.json) terminal.err.write(`${accepted.message}\n`);
  const left = () => ({ message: 'it goes on without this command', more: [`  look:  ${look}`] });
  const isolation = options.wait
    ? await interruptible(terminal, options, left, () => followed(context, tenantId, accepted, options, isDone))
    : accepted.isolation;
  if (options.json) printJson(terminal, { ...accepted, isolation });
  else terminal.out.write(`${isolationLine(isolation)}\n`);
  return exitCodes.done;
}

async function followed(
  { api, terminal }: Context,
  tenantId: string,
  accepted: Isolated,
  options: IsolationOptions,
  isDone: (isolation: Isolation) => boolean,
): Promise<Isolation> {
  let { isolation } = accepted;
  for (let told = ''; !isDone(isolation); isolation = (await api.get(tenantId)).isolation) {
    const problem = isolation?.lastError ? isolationLine(isolation) : '';
    if (problem !== told && problem !== '' && !options.json) terminal.err.write(`${problem}\n`);
    told = problem;
    await sleep(LOOK_EVERY_MS);
  }
  return isolation;
}

function showPreview({ terminal }: Context, preview: IsolationPreview, options: Common, what: string): ExitCode {
  const { rule } = preview;
  if (options.json) printJson(terminal, preview);
  else if (!rule) terminal.out.write('no rule is there\n');
  else
    terminal.out.write(
      `a rule ${what}: ${rule.host} answers ${rule.status}, priority ${rule.priority ?? '(not taken)'}, ${rule.loadBalancerArn}\n`,
    );
  return exitCodes.done;
}
