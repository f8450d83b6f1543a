import type { SweepCounts, SweptItem, TooYoung } from '../contracts/sweep.ts';
import type { LedgerEntry, SweptTenant } from '../db/sweep-ledger.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { ownerIn } from '../naming.ts';
import { fingerprintOf, type Draft } from './identity.ts';
import { isLiving, type LedgerView } from './ledger-view.ts';
import { obstacleToLeft, verdictOnLeft } from './left-things.ts';
import type { Names } from './names.ts';
import { tooRecentReason } from './too-recent.ts';

/** All that the direction from the inventory to the ledger needs. */
export interface SweepRecords {
  readonly installationId: string;
  readonly cell: string;
  /** Whether that other cell's report lists the thing too. */
  readonly isListedIn: (cell: string, item: SweptItem) => boolean;
  readonly names: Names;
  readonly kinds: KindRegistry;
  /** Read after the inventory: an intent row comes before its call, so what was listed has its row by then. */
  readonly ledger: LedgerView;
  readonly tenants: ReadonlyMap<string, SweptTenant>;
  readonly now: Date;
  /** Things that removed rows of the ledger were for: `<tenant>|<type>|<name>`. */
  readonly everMade: (tenantId: string, item: Pick<SweptItem, 'type' | 'name'>) => boolean;
  /** Of things without this installation's mark: the row that says that the very thing was removed. */
  readonly removedRowOf: (physicalId: string) => LedgerEntry | undefined;
  /** Of things without a mark whose names tell their tenants: what a step of theirs will remove. */
  readonly stepNames: ReadonlySet<string>;
}

export interface Classified {
  readonly drafts: Draft[];
  readonly tooYoung: TooYoung[];
  readonly counts: SweepCounts;
}

export type Verdict =
  | { readonly is: keyof SweepCounts }
  | { readonly is: 'too-young'; readonly why: string }
  | { readonly is: 'finding'; readonly draft: Draft };

/** What of the inventory nobody owns. Pure. */
export function classifyItems(items: readonly SweptItem[], around: SweepRecords): Classified {
  const drafts: Draft[] = [];
  const tooYoung: TooYoung[] = [];
  const counts = { held: 0, otherCells: 0, otherInstallations: 0, foreign: 0, passing: 0 };
  const there = new Set(items.map(({ physicalId }) => physicalId));
  const { sweptTypes } = around.kinds;
  const used = new Set(items.flatMap((item) => sweptTypes.get(item.type)?.uses?.(item) ?? []));
  for (const item of items) {
    const verdict = verdictOn(item, around, { there, used });
    if (verdict.is === 'finding') drafts.push(verdict.draft);
    else if (verdict.is === 'too-young')
      tooYoung.push({ type: item.type, physicalId: item.physicalId, why: verdict.why });
    else counts[verdict.is] += 1;
  }
  return { drafts, tooYoung, counts };
}

interface Listed {
  /** Physical ids of all that was listed: what a row names and is not among them may have been made anew. */
  readonly there: ReadonlySet<string>;
  /** Physical ids of what other things use: revisions that a service runs. */
  readonly used: ReadonlySet<string>;
}

function verdictOn(item: SweptItem, around: SweepRecords, { there, used }: Listed): Verdict {
  if (item.tags === undefined) return { is: 'held' };
  const namedTenant = around.kinds.sweptTypes.get(item.type)?.tenantIn?.(item.name);
  if (namedTenant !== undefined) return verdictOnLeft(item, namedTenant, around);
  const owner = ownerIn(item.tags);
  if (owner.installationId === undefined) return withoutMark(item, around);
  if (owner.installationId !== around.installationId) {
    const row = rowOfVery(item, around);
    if (!row) return { is: 'otherInstallations' };
    return lostMark(
      item,
      around,
      `it carries the mark of installation ${owner.installationId}, and ${whatRowSays(row)}`,
    );
  }
  if (item.passing !== undefined) return { is: 'passing' };
  if (around.ledger.holderOf(item, owner.tenantId)) return { is: 'held' };
  const isReplaced = (row: LedgerEntry) => row.cell === around.cell && !there.has(row.physicalId ?? '');
  const namesakes = around.ledger.holdersOf(item).filter((row) => row.tenantId === owner.tenantId);
  if (namesakes.some(isReplaced)) return { is: 'held' };
  // A retry with another template made its successor; it goes with the tenant.
  if (namesakes.some(({ earlierIds }) => earlierIds.includes(item.physicalId))) return { is: 'held' };
  // A circuit breaker went back to it: the service's step says so.
  if (namesakes.length > 0 && used.has(item.physicalId)) return { is: 'held' };
  const tenant = around.tenants.get(owner.tenantId ?? '');
  if (tenant && tenant.cell !== around.cell && around.isListedIn(tenant.cell, item)) return { is: 'otherCells' };
  const young = tooRecentReason(item, tenant, around.now);
  if (young !== undefined) return { is: 'too-young', why: young };
  const obstacle = obstacleTo(item, around);
  const remedy =
    obstacle === undefined
      ? 'approve this report: the sweep looks again and takes it away'
      : `look at it by hand; the sweep does not take it away: ${obstacle}`;
  const draft: Draft = {
    class: 'leak',
    type: item.type,
    physicalId: item.physicalId,
    name: item.name,
    owner,
    why: whyLeaked(item, around),
    remedy,
    fingerprint: fingerprintOf(item.seen),
    removable: obstacle === undefined,
  };
  return { is: 'finding', draft };
}

/**
 * Why the sweep must not take a marked thing away; undefined when it may. The one list of reasons, asked for the report and once
 * more right before a removal.
 */
export function obstacleTo(item: SweptItem, around: SweepRecords): string | undefined {
  const namedTenant = around.kinds.sweptTypes.get(item.type)?.tenantIn?.(item.name);
  if (namedTenant !== undefined) return obstacleToLeft(item, namedTenant, around);
  const owner = ownerIn(item.tags ?? {});
  const { installationId, tenantId, product } = owner;
  if (installationId !== around.installationId) return "it does not bear this installation's mark";
  if (tenantId === undefined || product === undefined) return 'its mark is not whole';
  const tenant = around.tenants.get(tenantId);
  const holders = around.ledger.holdersOf(item);
  const type = around.kinds.sweptTypes.get(item.type);
  if (around.ledger.holderOf(item, tenantId)) return 'the ledger holds it';
  const [other] = holders;
  // Which of a tenant's revisions serves is known: no service names the others (serving.ts).
  if (other?.tenantId === tenantId && !type?.isKnownByUse)
    return `the ledger holds another one of this name for its tenant (${other.physicalId ?? 'id unknown'}): see which one serves`;
  if (other && other.tenantId !== tenantId) return `the ledger holds one of this name for tenant ${other.tenantId}`;
  if (tenant && tenant.cell !== around.cell) return `its tenant lives in cell ${tenant.cell}`;
  if (tenant && tenant.openOperationId !== null) return `operation ${tenant.openOperationId} of its tenant is open`;
  // A name of a domain that the platform does not give the product any more is known from the ledger's own row.
  if (!around.names.isGivenTo(item, { installationId, tenantId, product }, tenant) && !around.everMade(tenantId, item))
    return 'we would not have given it this name: somebody may have copied our mark, or the platform named another domain then';
  if (tenant && isLiving(tenant) && !around.everMade(tenantId, item))
    return `its tenant is ${tenant.status}, and the ledger never knew this thing`;
  if (type?.holdsData) return dataObstacle(tenant);
  return undefined;
}

/** Data: only that of a tenant who never was active, as the ledger knows for sure. */
function dataObstacle(tenant: SweptTenant | undefined): string | undefined {
  if (!tenant) return 'it may hold data, and the ledger does not know its tenant';
  if (tenant.activatedAt) return `it may hold data: its tenant was active since ${tenant.activatedAt.toISOString()}`;
  return isLiving(tenant) ? `its tenant is ${tenant.status}` : undefined;
}

function whyLeaked(item: SweptItem, { tenants, ledger, everMade }: SweepRecords): string {
  const tenantId = ownerIn(item.tags ?? {}).tenantId;
  const tenant = tenantId === undefined ? undefined : tenants.get(tenantId);
  const [other] = ledger.holdersOf(item);
  if (other && other.tenantId === tenantId)
    return `it bears the mark of tenant ${other.tenantId}, for whom the ledger holds another one of this name: ${other.physicalId ?? 'id unknown'}`;
  if (other)
    return `it bears the mark of tenant ${tenantId ?? '(none)'}, but the ledger holds it for tenant ${other.tenantId}`;
  if (!tenant) return `it bears our mark, but the ledger knows no tenant ${tenantId ?? '(none named)'}`;
  const named = `tenant ${tenant.slug} (${tenant.status})`;
  return everMade(tenant.id, item)
    ? `the ledger says that it was removed from ${named}: a late effect, or a removal that did not work`
    : `it bears the mark of ${named}, but the ledger never held it`;
}

function withoutMark(item: SweptItem, around: SweepRecords): Verdict {
  const very = rowOfVery(item, around);
  const [holder] = around.ledger.holdersOf(item);
  const reading = around.names.read(item.type, item.name);
  if (!reading && !holder && !very) return { is: 'foreign' };
  if (item.passing !== undefined) return { is: 'passing' };
  if (item.createdAt && tooRecentReason(item, undefined, around.now) !== undefined)
    return { is: 'too-young', why: tooRecentReason(item, undefined, around.now) ?? '' };
  if (very) return lostMark(item, around, `it carries no mark, and ${whatRowSays(very)}`);
  const why = holder
    ? `it bears no mark, and the ledger holds one of its name for tenant ${holder.tenantId}`
    : 'it bears no mark, but its name is one that we give';
  return unmarked(item, around, why, 'find out whose it is; the sweep never takes away what bears no mark');
}

/** The row of this very thing: the ledger holds it as made, or says that it was removed. */
function rowOfVery(item: SweptItem, { kinds, ledger, removedRowOf }: SweepRecords): LedgerEntry | undefined {
  const held = ledger
    .holdersOf(item)
    .find(({ madeAt, physicalId }) => madeAt !== null && (physicalId ?? item.physicalId) === item.physicalId);
  return held ?? (kinds.sweptTypes.get(item.type)?.hasUniqueIds ? removedRowOf(item.physicalId) : undefined);
}

function whatRowSays({ state, tenantId, stepId }: LedgerEntry): string {
  const is = state === 'removed' ? 'that this very thing was removed from' : `that it is ${state} for`;
  return `the ledger says ${is} tenant ${tenantId} (step ${stepId})`;
}

function lostMark(item: SweptItem, around: SweepRecords, why: string): Verdict {
  return unmarked(item, around, why, 'find out who took its mark off: put it back, or take the thing away by hand');
}

function unmarked(item: SweptItem, around: SweepRecords, why: string, remedy: string): Verdict {
  const draft: Draft = {
    class: 'unmarked',
    type: item.type,
    physicalId: item.physicalId,
    name: item.name,
    owner: { product: around.names.read(item.type, item.name)?.product },
    why,
    remedy,
    fingerprint: fingerprintOf(item.seen),
    removable: false,
  };
  return { is: 'finding', draft };
}
