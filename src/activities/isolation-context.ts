import type { Step } from '../contracts/blueprint.ts';
import { ISOLATION_STEP } from '../contracts/isolation.ts';
import type { Cell } from '../contracts/platform.ts';
import { StepError } from '../contracts/step-error.ts';
import { listMade } from '../db/ledger.ts';
import type { IsolationRow } from '../db/isolations.ts';
import type { TenantRow } from '../db/tenants.ts';
import { listenerNotice } from '../kinds/listener-notice/kind.ts';
import type { StepContext } from '../kinds/framework/kind.ts';
import { outsideCell } from '../kinds/framework/outside-cell.ts';
import { lostOf, OthersJudged, refuseLost } from '../kinds/framework/ownership.ts';
import { ownershipTags, requestToken } from '../naming.ts';
import type { ActivityDependencies } from './dependencies.ts';

const MESSAGE = 'This site is temporarily unavailable. Please try again later.';

/** What the notice's kind is handed. */
export type NoticeContext = Parameters<typeof listenerNotice.ensure>[0];

/** One attempt at the notice of an isolated tenant. */
export interface IsolationAttempt {
  readonly deps: ActivityDependencies;
  readonly isolation: IsolationRow;
  readonly tenant: TenantRow;
  readonly cell: Cell;
  readonly signal: AbortSignal;
}

/** The notice as a step: no operation's, and of no blueprint. */
export function isolationStep({ host, loadBalancerArn }: Pick<IsolationRow, 'host' | 'loadBalancerArn'>): Step {
  const spec = { loadBalancerArn, host, message: MESSAGE, isolates: true };
  return { id: ISOLATION_STEP, kind: listenerNotice.name, needs: [], spec };
}

/** @throws StepError OUTSIDE_CELL */
export function noticeContext(attempt: IsolationAttempt): NoticeContext {
  const { deps, isolation, tenant, cell, signal } = attempt;
  const { installationId, database } = deps;
  const { product, slug, tier, displayName } = tenant;
  const operationId = isolation.operationId;
  const step = isolationStep(isolation);
  const tags = ownershipTags({ installationId, tenantId: tenant.id, product, operationId, stepId: step.id });
  const recorded = recordedFor(isolation);
  refuseOutside({ step, cell, installationId, tenant, recorded, purpose: isolation.wanted ? 'make' : 'take-away' });
  const nothing = () => Promise.resolve();
  return {
    installationId,
    tenant: { id: tenant.id, slug, product, tier, displayName, everActive: tenant.activatedAt !== null },
    operation: { id: operationId },
    stepId: step.id,
    blueprint: { version: 1, product, tier, cell: cell.id, steps: [step] },
    spec: listenerNotice.spec.parse(step.spec),
    cell,
    generation: isolation.generation,
    previous: isolation.outputs ?? {},
    mayExist: isolation.unclearUntil !== null,
    removingAt: isolation.wanted ? undefined : isolation.since,
    removal: { noted: () => ({}), note: nothing },
    recorded,
    tags,
    token: (part) => requestToken(operationId, step.id, isolation.generation, part),
    aws: deps.aws(cell.id),
    db: database,
    tenantDatabases: deps.tenantDatabases,
    guard: nothing,
    gone: nothing,
    made: nothing,
    notOurs: (found) => judge(attempt, tags, found),
    foresee: nothing,
    signal,
    log: deps.log.child({ tenantId: tenant.id, stepId: step.id }),
  };
}

function recordedFor({ host, loadBalancerArn }: IsolationRow): StepContext['recorded'] {
  return { hostName: host, zoneIds: [], loadBalancerArns: [loadBalancerArn], listenerArns: [] };
}

interface Placed {
  readonly step: Step;
  readonly cell: Cell;
  readonly installationId: string;
  readonly tenant: TenantRow;
  readonly recorded: StepContext['recorded'];
  readonly purpose: 'make' | 'take-away';
}

function refuseOutside({ step, cell, installationId, tenant, recorded, purpose }: Placed): void {
  const { id, slug, product } = tenant;
  const bounds = { cell, installationId, tenant: { id, slug, product }, recorded };
  const outside = outsideCell(listenerNotice, step.spec, bounds, purpose);
  if (outside.length === 0) return;
  throw new StepError('OUTSIDE_CELL', `the notice of tenant ${id} lies outside cell "${cell.id}"`, {
    detail: outside.join('; '),
  });
}

/** @throws StepError STILL_PRESENT, OWNERSHIP_CONFLICT */
async function judge(
  { deps, isolation, tenant }: IsolationAttempt,
  tags: Readonly<Record<string, string>>,
  found: Parameters<StepContext['notOurs']>[0],
): Promise<OthersJudged> {
  if (found.length > 0) {
    const made = await listMade(deps.database, { tenantId: tenant.id, stepId: ISOLATION_STEP });
    const { types } = listenerNotice;
    refuseLost(lostOf(found, made), { stepId: ISOLATION_STEP, isRemoving: !isolation.wanted, tags, types });
  }
  return new OthersJudged(found);
}
