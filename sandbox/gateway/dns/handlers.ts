import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { AwsError, unescapeXml, withBody } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import type { Answer, Call } from '../request.ts';
import type { Clock } from '../time.ts';
import type { Upstream } from '../upstream.ts';

export interface DnsParts {
  readonly upstream: Upstream;
  readonly clock: Clock;
}

/** Route 53: changes get in sync after a set time; records stay inside their zone; refusals in AWS's words. */
export function createDnsHandlers(parts: DnsParts): Record<string, Handler> {
  const submittedAt = new Map<string, number>();
  const zoneNames = new Map<string, string>();
  return {
    ChangeResourceRecordSets: async (call) => {
      const changes = readChanges(call.body.toString('utf8'));
      await refuseForeignNames(parts, zoneNames, call, changes);
      const answer = inAwsWords(await parts.upstream.forward(call), changes);
      const changeId = /<Id>(?:\/change\/)?([^<]+)<\/Id>/.exec(answer.body.toString('utf8'))?.[1];
      if (answer.status < 300 && changeId) submittedAt.set(changeId, Date.now());
      return answer;
    },
    GetChange: async (call) => {
      const answer = await parts.upstream.forward(call);
      const changeId = /\/change\/([^/?]+)/.exec(call.path)?.[1] ?? '';
      const submitted = submittedAt.get(changeId);
      if (answer.status >= 300 || submitted === undefined) return answer;
      const status = Date.now() - submitted >= parts.clock.settings.dnsSyncMs ? 'INSYNC' : 'PENDING';
      return withBody(
        answer,
        answer.body.toString('utf8').replace(/<Status>[^<]*<\/Status>/, `<Status>${status}</Status>`),
      );
    },
  };
}

interface Change {
  readonly action: string;
  /** With its final dot. */
  readonly name: string;
  readonly type: string;
}

/** Actions, names and types of a batch; what cannot be read is left to the upstream to refuse. */
export function readChanges(xml: string): Change[] {
  return [...xml.matchAll(/<Change>(.*?)<\/Change>/gs)].map(([, change = '']) => ({
    action: element(change, 'Action'),
    name: `${element(change, 'Name').replace(/\.$/, '')}.`.toLowerCase(),
    type: element(change, 'Type'),
  }));
}

function element(xml: string, name: string): string {
  return unescapeXml(new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '');
}

async function refuseForeignNames(
  { upstream }: DnsParts,
  zoneNames: Map<string, string>,
  call: Call,
  changes: readonly Change[],
): Promise<void> {
  const zoneId = /\/hostedzone\/([^/]+)\/rrset/.exec(call.path)?.[1] ?? '';
  const zone = zoneNames.get(zoneId) ?? (await zoneName(upstream, call, zoneId));
  if (zone === undefined) return;
  zoneNames.set(zoneId, zone);
  const foreign = changes.filter(({ name }) => name !== zone && !name.endsWith(`.${zone}`));
  if (foreign.length === 0) return;
  const messages = foreign.map(({ name }) => `RRSet with DNS name ${name} is not permitted in zone ${zone}`);
  throw new AwsError('InvalidChangeBatch', `[${messages.join(', ')}]`);
}

async function zoneName(upstream: Upstream, call: Call, zoneId: string): Promise<string | undefined> {
  try {
    const answer = await upstream.clients(call.scope).route53.send(new GetHostedZoneCommand({ Id: zoneId }));
    return answer.HostedZone?.Name?.toLowerCase();
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchHostedZone') return undefined;
    throw error;
  }
}

/** MiniStack tells of a record that exists in words of its own. */
function inAwsWords(answer: Answer, changes: readonly Change[]): Answer {
  const text = answer.body.toString('utf8');
  const found = /Tried to create resource record set (\S+) type (\S+) but it already exists\.?/.exec(text);
  if (answer.status < 300 || !found) return answer;
  const name = changes.find((c) => c.name === found[1]?.toLowerCase())?.name ?? found[1];
  const message = `[Tried to create resource record set [name='${name}', type='${found[2]}'] but it already exists]`;
  return withBody(answer, text.replace(found[0], message));
}
