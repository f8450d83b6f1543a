import { z } from 'zod';

/** Lets a gateway inject random faults from now on. @throws Error when it refuses. */
export async function startTurbulence(gatewayUrl: string, seed: number): Promise<void> {
  const response = await fetch(faultsUrl(gatewayUrl), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ turbulence: { seed } }),
  });
  if (!response.ok) throw new Error(`the gateway at ${gatewayUrl} took no turbulence: ${await response.text()}`);
}

/** What the turbulence struck so far, call by call. */
export async function turbulenceReport(gatewayUrl: string): Promise<string> {
  const [{ turbulence, pendingLate }, records] = await Promise.all([
    read(faultsUrl(gatewayUrl), faultsAnswer),
    read(new URL('/_gateway/calls', gatewayUrl), callsAnswer),
  ]);
  const struck = records.filter((record) => record.fault?.ruleId === 'turbulence');
  const byType = Object.entries(turbulence.hits).filter(([, hits]) => hits > 0);
  const hits = byType.reduce((sum, [, count]) => sum + count, 0);
  return [
    `  turbulence ${turbulence.seed}: ${hits} of ${turbulence.calls} calls of steps were struck` +
      (byType.length === 0 ? '' : ` (${byType.map(([type, count]) => `${type} ${count}`).join(', ')})`),
    ...struck.map((record) => `    ${describeStrike(record)}`),
    ...(pendingLate > 0 ? [`  late effects still to come: ${pendingLate}`] : []),
  ].join('\n');
}

/** How whoever watches changes the faults of a gateway that stays up. */
export function faultCommands(gatewayUrl: string, seed: number): string {
  const set = (turbulence: string) => `    curl -X PUT ${faultsUrl(gatewayUrl).href} -d '{"turbulence":${turbulence}}'`;
  return ['  other faults, or none:', set(`{"seed":${seed + 1}}`), set('null')].join('\n');
}

type CallRecord = z.infer<typeof callRecord>;

const faultsAnswer = z.object({
  turbulence: z.object({ seed: z.number(), calls: z.number(), hits: z.record(z.string(), z.number()) }),
  pendingLate: z.number(),
});

const callRecord = z.object({
  at: z.string(),
  action: z.string(),
  kind: z.enum(['read', 'change']),
  caller: z.object({ stepId: z.string().optional(), verb: z.string().optional() }),
  code: z.string().optional(),
  fault: z.object({ ruleId: z.string(), type: z.string() }).optional(),
  effect: z.object({ at: z.string(), status: z.number() }).optional(),
});
const callsAnswer = z.array(callRecord);

/** `create_dns           ensure   ChangeResourceRecordSets      cut; its effect happened` */
function describeStrike({ at, action, kind, caller, code, fault, effect }: CallRecord): string {
  const what = code === undefined ? (fault?.type ?? '') : `${fault?.type ?? ''} ${code}`;
  const columns = [(caller.stepId ?? '').padEnd(34), (caller.verb ?? '').padEnd(8), action.padEnd(28)];
  return `${columns.join(' ')} ${what}${kind === 'read' ? '' : effectOf(fault?.type, at, effect)}`;
}

/** What the caller of a change could not know. */
function effectOf(type: string | undefined, at: string, effect: CallRecord['effect']): string {
  if (type === 'slow') return '';
  if (!effect) return type === 'late' ? '; its effect is still to come' : '; it had no effect';
  if (effect.status >= 300) return '; AWS refused it besides';
  return type === 'late' ? `; its effect came ${seconds(at, effect.at)} s later` : '; its effect happened';
}

function seconds(from: string, to: string): string {
  return ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
}

function faultsUrl(gatewayUrl: string): URL {
  return new URL('/_gateway/faults', gatewayUrl);
}

async function read<T>(url: URL, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}: ${await response.text()}`);
  return schema.parse(await response.json());
}
