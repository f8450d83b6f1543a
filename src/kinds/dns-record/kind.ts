import { isAwsError } from '../../aws/errors.ts';
import { companionOf, markerOf, type DnsChange, type DnsRecord } from '../../aws/dns-names.ts';
import { plainZoneId } from '../../formats.ts';
import { ownershipMarker } from '../../naming.ts';
import { StepError } from '../../contracts/step-error.ts';
import { refusalOf } from '../framework/foreign.ts';
import type { Kind, Observation } from '../framework/kind.ts';
import type { OthersJudged } from '../framework/ownership.ts';
import { recordDifferences } from './differences.ts';
import { COMPANION_TTL_SECONDS, isAddress, isOwnAlias, isOwnCompanion, isSameTarget } from './own.ts';
import { deletedEverywhereAt, sendDeletion, wasDeleted } from './deletion.ts';
import {
  recordOutputs,
  recordSpec,
  type RecordContext as Context,
  type RecordOutputs,
  type RecordSpec,
} from './spec.ts';
import { recordType } from './type.ts';
import { refuseUnseen } from './visibility.ts';

/**
 * An alias to the tenant's load balancer, with a TXT companion that says whose it is: alias values on a shared load
 * balancer name no tenant. Both come in one batch of CREATEs, so a foreign record is never overwritten (U-25).
 */
export const dnsRecord: Kind<RecordSpec, RecordOutputs, 'route53:record'> = {
  name: 'dns-record',
  spec: recordSpec,
  outputs: recordOutputs,
  changeable: ['loadBalancerArn'],
  types: { 'route53:record': recordType },
  permissions: [
    'route53:ListResourceRecordSets',
    'route53:GetHostedZone',
    'route53:ChangeResourceRecordSets',
    'route53:GetChange',
  ],
  inCell: ({ host, loadBalancerArn, zoneId }, within) => [
    ...within.zone(zoneId),
    ...within.loadBalancer(loadBalancerArn),
    ...within.host(host),
  ],
  calls: { ensure: ['route53:ChangeResourceRecordSets'], remove: ['route53:ChangeResourceRecordSets'] },
  physicalNames: ({ host }) => [{ type: 'route53:record', name: host.toLowerCase() }],

  /** Requirement U-25: INSYNC within 5 minutes, usually 60 s. A deleted one is waited for until resolvers have forgotten it. */
  profiles: ({ hostedZone }) => ({
    ready: { usualMs: 45_000, deadlineMs: 300_000 },
    gone: { usualMs: 60_000, deadlineMs: 600_000 + hostedZone.drainSeconds * 1000 },
  }),

  resources: resourcesOf,

  fingerprint: (context) => Promise.resolve(JSON.stringify(aliasesOf(context))),

  async ensure(context) {
    const { aws, spec } = context;
    const missing = await missingChanges(context);
    await refuseUnseen(context);
    const known = context.previous.changeId ?? '';
    if (missing.length === 0) return ensured(context, known);
    try {
      const changeId = await aws.dns.change(spec.zoneId, missing);
      const isAnew = missing.filter(({ action }) => action === 'CREATE').length === wantedCount(context);
      return { ...ensured(context, changeId), ...(isAnew && { anew: resourcesOf(context) }) };
    } catch (error) {
      if (!isAwsError(error, 'InvalidChangeBatch')) throw error;
      // Never parse the message: list again. Ours are adopted, a foreign record is refused, anything else is the error.
      const still = await missingChanges(context);
      if (still.length === 0) return ensured(context, known);
      // After an attempt without an answer the list may still lack what that made.
      if (still.length === missing.length && !context.mayExist) throw error;
      throw new StepError('CONFLICT_RETRYABLE', `the records of ${spec.host} changed meanwhile`, { cause: error });
    }
  },

  async observe(context) {
    return context.removingAt === undefined ? await observeReady(context) : await observeGone(context);
  },

  async differs(context) {
    const { atHost, companions } = await findRecords(context);
    return recordDifferences(context, { atHost, companions, wanted: aliasesOf(context) });
  },

  async remove(context) {
    const { own, others } = await findLeft(context);
    if (own.length > 0) await deleteRecords(context, own);
    const waits = own.length > 0 || context.tenant.everActive || wasDeleted(context);
    return {
      status: waits ? 'pending' : 'removed',
      others,
      ...(own.length < wantedCount(context) && { missing: true }),
    };
  },
};

function resourcesOf({ spec }: Pick<Context, 'spec'>) {
  return [
    { type: 'route53:record', name: spec.host },
    { type: 'route53:record', name: companionOf(spec.host) },
  ] as const;
}

/**
 * The companion goes with its aliases or not at all, because without it they are nobody's: where the list lacks one that we
 * make, it is deleted by its values too. When there is none, Route 53 refuses the batch, and what is listed goes alone.
 */
async function deleteRecords(context: Context, own: readonly DnsRecord[]): Promise<void> {
  const { spec } = context;
  const send = (records: readonly DnsRecord[]) => sendDeletion(context, records);
  const unlisted = own.some(isCompanion)
    ? aliasesOf(context).filter((alias) => !own.some((record) => record.type === alias.type))
    : [];
  try {
    if (unlisted.length > 0) {
      await send([...unlisted, ...own]);
      return;
    }
  } catch (error) {
    if (!isAwsError(error, 'InvalidChangeBatch')) throw error;
  }
  try {
    await send(own);
  } catch (error) {
    if (!isAwsError(error, 'InvalidChangeBatch')) throw error;
    // Gone or changed between the list and the call: the next attempt lists again.
    throw new StepError('CONFLICT_RETRYABLE', `the records of ${spec.host} changed while they were deleted`, {
      cause: error,
    });
  }
}

function ensured(context: Context, changeId: string) {
  const { spec } = context;
  return {
    status: 'pending' as const,
    outputs: { host: spec.host, changeId, target: aliasesOf(context)[0]?.alias?.dnsName ?? '' },
    detail: `waiting for ${spec.host} to be known to every name server`,
  };
}

/**
 * What makes the records as they are wanted: those that are not there, and ours that lead to another load balancer of the cell.
 * @throws StepError OWNERSHIP_CONFLICT when another has the name
 */
async function missingChanges(context: Context): Promise<DnsChange[]> {
  refuseOutsideCell(context);
  const { spec } = context;
  const { atHost, companions } = await findRecords(context);
  const companion = companions.find((record) => isOwnCompanion(context, record));
  const foreign = companion ? atHost.filter((record) => !isOwnAlias(context, record)) : [...atHost, ...companions];
  if (foreign.length > 0) {
    const detail = foreign.map(describeRecord).join('; ');
    // The two lists are not of one moment: after an attempt without an answer the mark of what it made may come into sight last.
    if (context.mayExist && foreign.every((record) => isOwnAlias(context, record)))
      throw new StepError('CONFLICT_RETRYABLE', `an alias at ${spec.host} bears no mark yet`, { detail });
    throw await refusalOf(context, {
      resource: { type: 'route53:record', name: spec.host },
      message: `a record that is not this tenant's is at ${spec.host}`,
      detail,
      owner: companions.map(markerOf).find((marker) => marker !== undefined),
    });
  }
  if (aliasesOf(context).length === 0) {
    throw new StepError('OUTSIDE_CELL', `${spec.loadBalancerArn} is no load balancer of cell ${context.cell.id}`);
  }
  const astray = atHost.filter((record) => leadsAstray(context, record));
  const kept = atHost.filter((record) => !astray.includes(record));
  const wanted = aliasesOf(context).filter((want) => !kept.some((record) => record.type === want.type));
  const created = companion ? wanted : [...wanted, companionRecord(context)];
  return [
    ...astray.map((record): DnsChange => ({ action: 'DELETE', record })),
    ...created.map((record): DnsChange => ({ action: 'CREATE', record })),
  ];
}

/** An alias that leads elsewhere than to the tenant's load balancer, which alone has the tenant's rules, or not whatever its health. */
function leadsAstray(context: Context, { alias, type }: DnsRecord): boolean {
  const lb = context.cell.loadBalancers.find(({ arn }) => arn === context.spec.loadBalancerArn);
  if (!alias || !lb) return false;
  const isWanted = aliasesOf(context).some((want) => want.type === type && want.alias?.zoneId === alias.zoneId);
  return !isWanted || alias.evaluateTargetHealth || !isSameTarget(alias.dnsName, lb.dnsName);
}

async function observeReady(context: Context): Promise<Observation> {
  const { aws, previous, spec } = context;
  const changeId = previous.changeId ?? '';
  // While the change is PENDING the list says nothing about the name servers. The zone's records are asked for once it is not.
  if (changeId !== '' && (await aws.dns.isInSync(changeId)) === false)
    return { status: 'pending', detail: `change ${changeId} of ${spec.host} is PENDING` };
  const { own, others } = await findLeft(context);
  if (!own.some(isCompanion)) return { status: 'absent', detail: `no record of this tenant at ${spec.host}`, others };
  const wanted = wantedCount(context);
  if (own.length < wanted) return { status: 'pending', detail: `${own.length} of ${wanted} records are there` };
  const astray = own.find((record) => leadsAstray(context, record));
  if (astray)
    return { status: 'pending', detail: `${describeRecord(astray)} does not lead to ${spec.loadBalancerArn}` };
  // In sync; or adopted without a change's id, or with one that Route 53 has forgotten: what is listed counts.
  return { status: 'ready', detail: `${spec.host} is known to every name server` };
}

async function observeGone(context: Context): Promise<Observation> {
  // A deletion that was sent is waited out first: only what is listed after that decides.
  const waiting = wasDeleted(context) ? await waitForNameServers(context) : undefined;
  if (waiting) return waiting;
  const { own, others } = await findLeft(context);
  if (own.length > 0) return { status: 'ready', detail: `still there: ${own.map(describeRecord).join('; ')}` };
  return (
    (await waitForNameServers(context)) ?? {
      status: 'absent',
      detail: `no record of this tenant at ${context.spec.host}`,
      others,
    }
  );
}

/** Undefined once neither a name server nor a resolver can know the records any more. */
async function waitForNameServers(context: Context): Promise<Observation | undefined> {
  const { cell, spec, tenant } = context;
  const inSyncAtMs = await deletedEverywhereAt(context);
  if (inSyncAtMs === undefined) return { status: 'pending', detail: `the change that deletes ${spec.host} is PENDING` };
  // Resolvers hold what the last name server told them before it had the change.
  const leftMs = inSyncAtMs + cell.hostedZone.drainSeconds * 1000 - Date.now();
  if (!tenant.everActive || leftMs <= 0) return undefined;
  return { status: 'pending', detail: `resolvers may still know ${spec.host} for ${Math.ceil(leftMs / 1000)} s` };
}

async function findRecords({ aws, spec }: Context) {
  const [atHost, companions] = await Promise.all([
    aws.dns.findRecords(spec.zoneId, spec.host),
    aws.dns.findRecords(spec.zoneId, companionOf(spec.host)),
  ]);
  return { atHost, companions };
}

/**
 * What of the records is the tenant's: the companion with its mark, and the aliases under it. Our batch made the aliases where
 * nothing was, and nobody else's mark is there: when only the companion was deleted by hand, they must not be left to dangle.
 */
async function findLeft(context: Context): Promise<{ own: DnsRecord[]; others: OthersJudged }> {
  const { atHost, companions } = await findRecords(context);
  const marks = companions.filter((record) => isOwnCompanion(context, record));
  const wasMade = companions.length === 0 && context.previous.host === context.spec.host;
  const isMarked = marks.length > 0 || wasMade;
  const own = isMarked ? [...atHost.filter((record) => isOwnAlias(context, record)), ...marks] : [];
  const notOwn = [...atHost.filter(isAddress), ...companions].filter((record) => !own.includes(record));
  const mark = (record: DnsRecord) =>
    isMarked
      ? `it was changed, ${describeRecord(record)}`
      : `${describeRecord(record)} does not name this tenant alone`;
  const others = await context.notOurs(
    notOwn.map((record) => ({
      type: 'route53:record',
      name: record.name,
      physicalId: record.name,
      mark: mark(record),
    })),
  );
  return { own, others };
}

/** The aliases that we make; none when the load balancer has left the cell. */
function aliasesOf({ cell, spec }: Context): DnsRecord[] {
  const lb = cell.loadBalancers.find(({ arn }) => arn === spec.loadBalancerArn);
  if (!lb) return [];
  const alias = { zoneId: lb.canonicalHostedZoneId, dnsName: lb.dnsName, evaluateTargetHealth: false };
  const types = lb.ipAddressType === 'dualstack' ? ['A', 'AAAA'] : ['A'];
  return types.map((type) => ({ name: spec.host, type, values: [], alias }));
}

function wantedCount(context: Context): number {
  return aliasesOf(context).length + 1;
}

function isCompanion({ type }: DnsRecord): boolean {
  return type === 'TXT';
}

function companionRecord({ installationId, operation, spec, stepId, tenant }: Context): DnsRecord {
  const { id: tenantId, product } = tenant;
  const marker = ownershipMarker({ installationId, tenantId, product, operationId: operation.id, stepId });
  return { name: companionOf(spec.host), type: 'TXT', ttlSeconds: COMPANION_TTL_SECONDS, values: [`"${marker}"`] };
}

function refuseOutsideCell({ cell, spec }: Context): void {
  if (plainZoneId(spec.zoneId) !== plainZoneId(cell.hostedZone.id)) {
    throw new StepError('OUTSIDE_CELL', `hosted zone ${spec.zoneId} is not that of cell ${cell.id}`);
  }
  if (!spec.host.endsWith(`.${cell.hostedZone.name}`)) {
    throw new StepError('OUTSIDE_CELL', `host ${spec.host} is not in the zone ${cell.hostedZone.name}`);
  }
}

function describeRecord({ name, type, values, alias }: DnsRecord): string {
  return `${name} ${type} ${alias ? `alias ${alias.dnsName}` : values.join(', ')}`;
}
