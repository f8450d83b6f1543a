import { GetHostedZoneCommand } from '@aws-sdk/client-route-53';
import { AwsError, escapeXml, unescapeXml, withBody } from '../answer.ts';
import type { Quotas } from '../limits/quotas.ts';
import type { Handler } from '../pipeline.ts';
import type { Answer, Call } from '../request.ts';
import type { Clock } from '../time.ts';
import type { Upstream } from '../upstream.ts';
import { changeProblems, growth, sizeProblems } from './batch-rules.ts';
import { readChanges, readRecordSets, recordName, type Change, type RecordSet } from './changes.ts';

export interface DnsParts {
  readonly upstream: Upstream;
  readonly clock: Clock;
  /** Account quotas; none when absent. */
  readonly quotas?: Quotas | undefined;
}

/** Route 53: one batch of a zone at a time, by AWS's rules and in its words; changes get in sync after a set time. */
export function createDnsHandlers(parts: DnsParts): Record<string, Handler> {
  const submittedAt = new Map<string, number>();
  const busyZones = new Set<string>();
  return {
    ChangeResourceRecordSets: async (call) => {
      const zoneId = zoneIdOf(call);
      if (busyZones.has(zoneId)) {
        throw new AwsError(
          'PriorRequestNotComplete',
          'The request was rejected because Route 53 was still processing a prior request.',
        );
      }
      busyZones.add(zoneId);
      try {
        return await change(parts, submittedAt, call, zoneId);
      } finally {
        busyZones.delete(zoneId);
      }
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

async function change(parts: DnsParts, submittedAt: Map<string, number>, call: Call, zoneId: string): Promise<Answer> {
  const changes = readChanges(call.body.toString('utf8'));
  await requireAllowed(parts, call, zoneId, changes);
  const answer = await parts.upstream.forward(withPlainNames(call));
  const changeId = /<Id>(?:\/change\/)?([^<]+)<\/Id>/.exec(answer.body.toString('utf8'))?.[1];
  if (answer.status < 300 && changeId) submittedAt.set(changeId, Date.now());
  return answer;
}

/** Route 53 keeps names in lower case with a dot, an asterisk as `\052`; MiniStack would keep them as they come. */
function withPlainNames(call: Call): Call {
  const xml = call.body.toString('utf8').replace(/<(Name|DNSName)>([^<]*)</g, (_, element: string, name: string) => {
    return `<${element}>${escapeXml(recordName(unescapeXml(name)))}<`;
  });
  return { ...call, body: Buffer.from(xml, 'utf8') };
}

/** @throws AwsError InvalidChangeBatch that names all that is wrong with the batch. */
async function requireAllowed(parts: DnsParts, call: Call, zoneId: string, changes: readonly Change[]): Promise<void> {
  refuse(sizeProblems(changes));
  const zone = await findZone(parts.upstream, call, zoneId);
  if (!zone) return;
  const existing = await recordsNamed(parts.upstream, call, zoneId, new Set(changes.map((c) => c.name)));
  refuse(changeProblems(zone.name, existing, changes));
  const more = growth(existing, changes);
  if (more > 0) parts.quotas?.require('records-per-zone', zone.recordCount + more);
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new AwsError('InvalidChangeBatch', `[${problems.join(', ')}]`);
}

async function findZone(
  upstream: Upstream,
  call: Call,
  zoneId: string,
): Promise<{ name: string; recordCount: number } | undefined> {
  try {
    const { HostedZone } = await upstream.clients(call.scope).route53.send(new GetHostedZoneCommand({ Id: zoneId }));
    if (!HostedZone?.Name) return undefined;
    return { name: recordName(HostedZone.Name), recordCount: HostedZone.ResourceRecordSetCount ?? 0 };
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchHostedZone') return undefined;
    throw error;
  }
}

/** More names than this are looked up in the whole zone. */
const namesOneByOne = 20;

async function recordsNamed(
  upstream: Upstream,
  call: Call,
  zoneId: string,
  names: ReadonlySet<string>,
): Promise<RecordSet[]> {
  const starts = names.size <= namesOneByOne ? [...names] : [undefined];
  const found = await Promise.all(
    starts.map((name) =>
      listFrom(upstream, call, zoneId, (set) => (name === undefined ? true : set.name === name), name),
    ),
  );
  return found.flat().filter((set) => names.has(set.name));
}

/** Record sets from a name on (from the first without one), in order, as long as they are wanted. */
async function listFrom(
  upstream: Upstream,
  call: Call,
  zoneId: string,
  isWanted: (set: RecordSet) => boolean,
  name: string | undefined,
): Promise<RecordSet[]> {
  const base = call.path.split('?', 1)[0] ?? '';
  const kept: RecordSet[] = [];
  let query: URLSearchParams | undefined = new URLSearchParams(name === undefined ? {} : { name });
  while (query) {
    const path: string = `${base.replace(/\/$/, '')}?${query.toString()}`;
    const answer = await upstream.forward({ ...call, method: 'GET', path, body: Buffer.alloc(0) });
    if (answer.status >= 300) throw new Error(`record sets of zone ${zoneId} could not be listed: ${answer.status}`);
    const text = answer.body.toString('utf8');
    const page = readRecordSets(text);
    kept.push(...page.filter(isWanted));
    query = page.every(isWanted) ? nextPage(text) : undefined;
  }
  return kept;
}

function nextPage(xml: string): URLSearchParams | undefined {
  const next = (element: string) => new RegExp(`<${element}>([^<]+)</${element}>`).exec(xml)?.[1];
  const name = next('NextRecordName');
  if (name === undefined || !/<IsTruncated>true</.test(xml)) return undefined;
  const identifier = next('NextRecordIdentifier');
  return new URLSearchParams({ name, type: next('NextRecordType') ?? '', ...(identifier && { identifier }) });
}

function zoneIdOf(call: Call): string {
  return /\/hostedzone\/([^/]+)\/rrset/.exec(call.path)?.[1] ?? '';
}
