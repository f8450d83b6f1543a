import type {
  ChangeModeInput,
  ChangeTenantInput,
  ClientDeps,
  CreateTenantInput,
  DeleteTenantInput,
  ListInput,
  FreezeInput,
  IsolateTenantInput,
  RepairTenantInput,
  MigrateTenantInput,
  RotateTenantInput,
  ScaleTenantInput,
} from './requests.ts';
import type { Audit, OperationRow } from '../db/operations.ts';
import type { SignedCertificate } from '../contracts/certificate.ts';
import type { Caller } from '../contracts/caller.ts';
import type { Cell } from '../contracts/platform.ts';
import type { SlugName } from '../contracts/tenant-name.ts';
import { insertRefusal, type Refusal } from '../db/access-refusals.ts';
import { measureLag, type ProjectionLag } from '../db/projections.ts';
import { measureDrift, type DriftFigures } from '../db/drift.ts';
import { measureHealth, type HealthFigures } from '../db/tenant-health.ts';
import { ISOLATION_OVERDUE_MS } from '../contracts/isolation.ts';
import { countIsolations, type IsolationFigures, type UnsettledIsolation } from '../db/isolations.ts';
import { countAll, type Counts } from '../db/summaries.ts';
import { measureWebhooks, type WebhookFigures } from '../db/webhook-figures.ts';
import { readAudit, type AuditEntry, type AuditInput } from './audit.ts';
import { abandon } from './abandonment.ts';
import { readCertificate, readKeys } from './certificate.ts';
import * as change from './change.ts';
import { previewAbandonment, previewControl } from './control-preview.ts';
import type { OperatorVerb } from './orchestrator.ts';
import type { ModeRequest } from './choices.ts';
import { createTenant, previewCreation } from './creation.ts';
import * as freezing from './freezing.ts';
import * as isolation from './isolation.ts';
import { carryOutOnce, type Once } from './once.ts';
import { createEventFeed } from './event-feed.ts';
import { control } from './operator-control.ts';
import { readAvailability, type AvailabilityView } from './availability.ts';
import { listProducts, type ProductView } from './product-list.ts';
import * as reading from './reading.ts';
import type { KeyedCaller } from './request-key.ts';
import { assertReachable } from './reach.ts';
import { readSparseTenants, readTenants, type Page, type SparseTenantView } from './tenant-list.ts';
import { resolveTenantName } from './tenant-names.ts';
import { readSettingsHistory, type SettingsHistoryView } from './settings-history.ts';
import { readinessCheck, type Readiness } from './readiness.ts';
import { deleteTenant, previewDeletion } from './removal.ts';
import { previewRepair, repairTenant } from './repair.ts';
import { startAccepted } from './starting.ts';
import * as tickets from './stream-tickets.ts';
import type {
  AcceptedView,
  ChangeOutcome,
  CreatedView,
  EventView,
  KeysView,
  FreezePreviewView,
  FreezeView,
  IsolatedView,
  IsolationPreviewView,
  OperationView,
  PreviewView,
  StatusView,
  TenantDriftView,
  TenantWithOutcomeView,
  WorkersView,
} from './views.ts';
import { createWebhookClient, type WebhookClient } from './webhooks.ts';
import { createWorkerWatch } from './worker-watch.ts';
import { workersLook } from './workers.ts';

/**
 * The typed facade: the only place that starts, signals and queries. Whatever is about tenants takes who asks, and stores it
 * with what it changes; under a key of the caller's a request is carried out once. Every method may throw {@link RequestError}.
 */
export interface TenantryClient {
  createTenant(caller: KeyedCaller, input: CreateTenantInput): Promise<CreatedView>;
  /** What `createTenant` would do; nothing is reserved. */
  previewCreation(caller: Caller, input: CreateTenantInput): Promise<PreviewView>;
  /** What `deleteTenant` would do; nothing is changed. */
  previewDeletion(caller: Caller, tenantId: string, input?: Omit<DeleteTenantInput, 'confirm'>): Promise<PreviewView>;
  /** Other settings of an active tenant. */
  changeTenant(caller: KeyedCaller, tenantId: string, input: ChangeTenantInput): Promise<ChangeOutcome>;
  /** Another number of tasks of one of its services. */
  scaleTenant(caller: KeyedCaller, tenantId: string, input: ScaleTenantInput): Promise<ChangeOutcome>;
  /** A notice answers for an active tenant, and nothing of it runs; or a suspended tenant is as it was before. */
  changeMode(
    caller: KeyedCaller,
    tenantId: string,
    request: ModeRequest,
    input: ChangeModeInput,
  ): Promise<ChangeOutcome>;
  /** Another tier of an active tenant, by a change that its product declares. */
  migrateTenant(caller: KeyedCaller, tenantId: string, input: MigrateTenantInput): Promise<ChangeOutcome>;
  /** What `migrateTenant` would do; nothing is changed. */
  previewMigration(caller: Caller, tenantId: string, input: MigrateTenantInput): Promise<PreviewView>;
  /** New credentials for an active tenant; the ones that it has are revoked. */
  rotateTenant(caller: KeyedCaller, tenantId: string, input: RotateTenantInput): Promise<ChangeOutcome>;
  /** What `rotateTenant` would do; nothing is changed. */
  previewRotation(caller: Caller, tenantId: string, input: RotateTenantInput): Promise<PreviewView>;
  /** What `changeMode` would do; nothing is changed. */
  previewMode(caller: Caller, tenantId: string, request: ModeRequest, input: ChangeModeInput): Promise<PreviewView>;
  /** What `changeTenant` would do; nothing is changed. */
  previewChange(caller: Caller, tenantId: string, input: ChangeTenantInput): Promise<PreviewView>;
  /** What `scaleTenant` would do; nothing is changed. */
  previewScaling(caller: Caller, tenantId: string, input: ScaleTenantInput): Promise<PreviewView>;
  /** Everything of an active tenant is brought back to what was applied last. */
  repairTenant(caller: KeyedCaller, tenantId: string, input: RepairTenantInput): Promise<AcceptedView>;
  /** What `repairTenant` would do; nothing is changed. */
  previewRepair(caller: Caller, tenantId: string): Promise<PreviewView>;
  /** No new operation of a product or in a cell is accepted until it is lifted. */
  freeze(caller: KeyedCaller, input: FreezeInput): Promise<FreezeView>;
  /** What `freeze` would do; nothing is changed. */
  previewFreeze(caller: Caller, input: FreezeInput): Promise<FreezePreviewView>;
  /** What `lift` would do; nothing is changed. */
  previewLift(caller: Caller, freezeId: string): Promise<FreezePreviewView>;
  /** Freezes in force. */
  freezes(caller: Caller): Promise<FreezeView[]>;
  lift(caller: KeyedCaller, freezeId: string): Promise<FreezeView>;
  /** A notice answers at its host at once, whatever is open or frozen. */
  isolate(caller: KeyedCaller, tenantId: string, input: IsolateTenantInput): Promise<IsolatedView>;
  /** What `isolate` would make; nothing is changed. */
  previewIsolation(caller: Caller, tenantId: string, input: IsolateTenantInput): Promise<IsolationPreviewView>;
  liftIsolation(caller: KeyedCaller, tenantId: string): Promise<IsolatedView>;
  /** What `liftIsolation` would remove; nothing is changed. */
  previewLifting(caller: Caller, tenantId: string): Promise<IsolationPreviewView>;
  /** Starts the run of an isolation that is not as wanted, unless one is open. @throws OrchestratorUnreachableError */
  startIsolation(caller: Caller, run: UnsettledIsolation): Promise<'started' | 'already-open'>;
  deleteTenant(caller: KeyedCaller, tenantId: string, input: DeleteTenantInput): Promise<ChangeOutcome>;
  /** What was certified of its deletion, signed. */
  certificate(caller: Caller, tenantId: string): Promise<SignedCertificate>;
  /** Public parts of the keys that sign certificates, or did. */
  keys(caller: Caller): Promise<KeysView>;
  /** What `retry` or `cancel` would do; nothing is changed. */
  previewControl(caller: Caller, tenantId: string, verb: OperatorVerb): Promise<PreviewView>;
  /** What `abandon` would do; nothing is changed. */
  previewAbandonment(caller: Caller, tenantId: string, audit: Audit): Promise<PreviewView>;
  cancel(caller: KeyedCaller, tenantId: string): Promise<AcceptedView>;
  retry(caller: KeyedCaller, tenantId: string): Promise<AcceptedView>;
  /** Closes a stuck operation without finishing it; what is left stays in the ledger. */
  abandon(caller: KeyedCaller, tenantId: string, audit: Audit): Promise<OperationView>;
  /**
   * Starts the run of an operation that was accepted and has none (the process died between writing and starting, or
   * an earlier run was still open). Safe to repeat. @throws OrchestratorUnreachableError
   */
  startAccepted(caller: Caller, operation: OperationRow): Promise<'started' | 'already-open'>;
  /** Throws TENANT_MISMATCH unless the caller may reach the tenant; every method about one tenant begins so. */
  assertReachable(caller: Caller, tenantId: string): Promise<void>;
  /** The id of the tenant that a slug means, among those that the caller reaches. Throws TENANT_NOT_FOUND, TENANT_MISMATCH, TENANT_NAME_AMBIGUOUS. */
  resolveName(caller: Caller, name: SlugName): Promise<string>;
  /** What was done and what was refused, newest first. */
  audit(caller: Caller, input: AuditInput): Promise<{ entries: AuditEntry[]; nextCursor: string | null }>;
  /** Keeps a refusal for the audit. */
  recordRefusal(refusal: Refusal): Promise<void>;
  get(caller: Caller, tenantId: string): Promise<TenantWithOutcomeView>;
  list(caller: Caller, input: ListInput): Promise<Page<TenantWithOutcomeView>>;
  /** As `list`, with these fields alone and the ids. */
  listSparsely(caller: Caller, input: ListInput, fields: readonly string[]): Promise<Page<SparseTenantView>>;
  status(caller: Caller, tenantId: string): Promise<StatusView>;
  /** What the last look at the tenant's steps found. */
  drift(caller: Caller, tenantId: string): Promise<TenantDriftView>;
  events(caller: Caller, tenantId: string, page: { after: number; limit: number }): Promise<EventView[]>;
  /** Every choice that was made for the tenant, newest first. */
  settingsHistory(
    caller: Caller,
    tenantId: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<SettingsHistoryView>;
  operations(caller: Caller, tenantId: string): Promise<OperationView[]>;
  operation(caller: Caller, tenantId: string, operationId: string): Promise<OperationView>;
  /** Id of the tenant's newest event. */
  newestEvent(caller: Caller, tenantId: string): Promise<number>;
  /** What opens one live stream of the tenant, within 30 s. @param holder whom it stands for */
  createStreamTicket(
    caller: KeyedCaller,
    tenantId: string,
    holder: tickets.TicketHolder,
  ): Promise<tickets.StreamTicketView>;
  /** What `createStreamTicket` would do; nothing is changed. */
  previewStreamTicket(
    caller: Caller,
    tenantId: string,
    holder: tickets.TicketHolder,
  ): Promise<tickets.StreamTicketPreview>;
  /** Uses a ticket up. @returns whom it stands for; undefined when it opens no stream of the tenant */
  useStreamTicket(ticket: string, tenantId: string): Promise<tickets.TicketHolder | undefined>;
  /** Calls back when the tenant may have new events; misses none while PostgreSQL is reached. @returns unsubscribe */
  subscribe(caller: Caller, tenantId: string, onEvents: () => void): () => void;
  /** Whether a tenant of that slug could be created; nothing is reserved. @param product default: of whichever product */
  availability(caller: Caller, slug: string, product?: string): Promise<AvailabilityView>;
  products(caller: Caller): ProductView[];
  /** As the platform description has it; undefined: it has none of that id (any more). */
  cell(caller: Caller, id: string): Cell | undefined;
  counts(caller: Caller): Promise<Counts>;
  /** Tenants by health, and how long ago those were looked at that wait longest. */
  health(caller: Caller): Promise<HealthFigures>;
  /** Findings and tenants by what the last looks at drift saw. */
  driftFigures(caller: Caller): Promise<DriftFigures>;
  /** Tenants that are isolated, and those that are not as wanted. */
  isolationFigures(caller: Caller): Promise<IsolationFigures>;
  /** How far the projection is behind, of each cell that has one. */
  projectionLag(caller: Caller): Promise<ProjectionLag[]>;
  /** Where events are told of. */
  readonly webhooks: WebhookClient;
  /** What waits to be told, and what was given up. */
  webhookFigures(caller: Caller): Promise<WebhookFigures>;
  readiness(): Promise<Readiness>;
  /** Whether a worker polls, as seen lately: nobody waits for it. */
  workers(): WorkersView;
  /** Looks at the workers until stopped; raises the alert `no-worker`. */
  watchWorkers(): { stop(): Promise<void> };
  /** Stops listening for events; database and orchestrator belong to the caller. */
  close(): Promise<void>;
}

/** A program that calls by itself does not say which route it is. */
function named(by: KeyedCaller, action: string): KeyedCaller {
  return by.action === undefined ? { ...by, action } : by;
}

export function createTenantryClient(deps: ClientDeps): TenantryClient {
  const { database } = deps;
  const feed = createEventFeed(database, deps.log);
  const lookAtWorkers = workersLook(database, deps.orchestrator);
  const workers = createWorkerWatch(deps, lookAtWorkers, deps.workerWatchTimes);
  const once = carryOutOnce(deps, () => workers.seen());
  const of = async <T>(caller: Caller, tenantId: string, act: () => Promise<T>): Promise<T> => {
    await assertReachable(database, caller, tenantId);
    return act();
  };
  // Before the key is looked up: an answer that was kept is for those who still reach the tenant.
  const onceOf = <T>(by: KeyedCaller, tenantId: string, run: (caller: Caller, kept: Once<T>) => Promise<T>) =>
    of(by, tenantId, () => once(by, run));
  return {
    createTenant: (by, input) =>
      once(named(by, 'createTenant'), (caller, kept) => createTenant(deps, caller, input, kept)),
    previewCreation: (caller, input) => previewCreation(deps, caller, input),
    previewDeletion: (caller, tenantId, input) =>
      of(caller, tenantId, () => previewDeletion(deps, caller, tenantId, input)),
    changeTenant: (by, id, input) =>
      onceOf(named(by, 'changeTenant'), id, (caller, kept) => change.changeTenant(deps, caller, id, input, kept)),
    scaleTenant: (by, id, input) =>
      onceOf(named(by, 'scaleTenant'), id, (caller, kept) => change.scaleTenant(deps, caller, id, input, kept)),
    changeMode: (by, tenantId, request, input) =>
      onceOf(named(by, `${request}Tenant`), tenantId, (caller, kept) =>
        change.changeMode(deps, caller, { tenantId, request }, input, kept),
      ),
    migrateTenant: (by, id, input) =>
      onceOf(named(by, 'migrateTenant'), id, (caller, kept) => change.migrateTenant(deps, caller, id, input, kept)),
    previewMigration: (caller, tenantId, input) =>
      of(caller, tenantId, () => change.previewMigration(deps, caller, tenantId, input)),
    rotateTenant: (by, id, input) =>
      onceOf(named(by, 'rotateTenant'), id, (caller, kept) => change.rotateTenant(deps, caller, id, input, kept)),
    previewRotation: (caller, tenantId, input) =>
      of(caller, tenantId, () => change.previewRotation(deps, caller, tenantId, input)),
    previewMode: (caller, tenantId, request, input) =>
      of(caller, tenantId, () => change.previewMode(deps, caller, tenantId, request, input)),
    previewChange: (caller, tenantId, input) =>
      of(caller, tenantId, () => change.previewChange(deps, caller, tenantId, input)),
    previewScaling: (caller, tenantId, input) =>
      of(caller, tenantId, () => change.previewScaling(deps, caller, tenantId, input)),
    repairTenant: (by, id, input) =>
      onceOf(named(by, 'repairTenant'), id, (caller, kept) => repairTenant(deps, caller, id, input, kept)),
    previewRepair: (caller, tenantId) => of(caller, tenantId, () => previewRepair(deps, caller, tenantId)),
    freeze: (by, input) => once(named(by, 'freeze'), (caller, kept) => freezing.freeze(deps, caller, input, kept)),
    previewFreeze: (caller, input) => freezing.previewFreeze(deps, caller, input),
    previewLift: (caller, freezeId) => freezing.previewLift(deps, caller, freezeId),
    freezes: (_caller) => freezing.readFreezes(deps),
    lift: (by, freezeId) =>
      once(named(by, 'liftFreeze'), (caller, kept) => freezing.lift(deps, caller, freezeId, kept)),
    isolate: (by, id, input) =>
      onceOf(named(by, 'isolateTenant'), id, (caller, kept) => isolation.isolate(deps, caller, id, input, kept)),
    previewIsolation: (caller, tenantId, input) =>
      of(caller, tenantId, () => isolation.previewIsolation(deps, caller, tenantId, input)),
    liftIsolation: (by, id) =>
      onceOf(named(by, 'liftIsolation'), id, (caller, kept) => isolation.liftIsolation(deps, caller, id, kept)),
    previewLifting: (caller, tenantId) => of(caller, tenantId, () => isolation.previewLifting(deps, tenantId)),
    startIsolation: (_caller, run) => isolation.startIsolation(deps, run),
    deleteTenant: (by, id, input) =>
      onceOf(named(by, 'deleteTenant'), id, (caller, kept) => deleteTenant(deps, caller, id, input, kept)),
    certificate: (caller, tenantId) => of(caller, tenantId, () => readCertificate(deps, tenantId)),
    keys: (_caller) => readKeys(database),
    previewControl: (caller, tenantId, verb) =>
      of(caller, tenantId, () => previewControl(deps, caller, tenantId, verb)),
    previewAbandonment: (caller, tenantId, audit) =>
      of(caller, tenantId, () => previewAbandonment(deps, caller, tenantId, audit)),
    cancel: (by, id) =>
      onceOf(named(by, 'cancelOperation'), id, (caller, kept) => control(deps, caller, id, 'cancel', kept)),
    retry: (by, id) =>
      onceOf(named(by, 'retryOperation'), id, (caller, kept) => control(deps, caller, id, 'retry', kept)),
    abandon: (by, id, audit) =>
      onceOf(named(by, 'abandonOperation'), id, (caller, kept) => abandon(deps, caller, id, audit, kept)),
    startAccepted: (_caller, operation) => startAccepted(deps, operation),
    audit: (_caller, input) => readAudit(database, input),
    recordRefusal: (refusal) => insertRefusal(database, refusal),
    assertReachable: (caller, tenantId) => assertReachable(database, caller, tenantId),
    resolveName: (caller, name) => resolveTenantName(database, caller, name),
    get: (caller, tenantId) => of(caller, tenantId, () => reading.readTenant(database, tenantId)),
    list: (caller, input) => readTenants(database, caller, input),
    listSparsely: (caller, input, fields) => readSparseTenants(database, caller, input, fields),
    status: (caller, tenantId) => of(caller, tenantId, () => reading.readStatus(deps, tenantId)),
    drift: (caller, tenantId) => of(caller, tenantId, () => database.snapshot((at) => reading.readDrift(at, tenantId))),
    events: (caller, tenantId, page) => of(caller, tenantId, () => reading.readEvents(database, tenantId, page)),
    newestEvent: (caller, tenantId) => of(caller, tenantId, () => reading.readNewestEvent(database, tenantId)),
    createStreamTicket: (by, id, holder) =>
      onceOf(named(by, 'createStreamTicket'), id, (_caller, kept) => tickets.createTicket(deps, id, holder, kept)),
    previewStreamTicket: (caller, id, holder) => of(caller, id, () => tickets.previewTicket(deps, id, holder)),
    useStreamTicket: (ticket, tenantId) => tickets.useTicket(deps, ticket, tenantId),
    settingsHistory: (caller, tenantId, page) =>
      of(caller, tenantId, () => readSettingsHistory(database, tenantId, page)),
    operations: (caller, tenantId) => of(caller, tenantId, () => reading.readOperations(database, tenantId)),
    operation: (caller, tenantId, operationId) =>
      of(caller, tenantId, () => reading.readOperation(database, tenantId, operationId)),
    subscribe: (_caller, tenantId, onEvents) => feed.subscribe(tenantId, onEvents),
    availability: (_caller, slug, product) => readAvailability(deps, slug, product),
    products: (_caller) => listProducts(deps),
    cell: (_caller, id) => deps.platform.cells.find((cell) => cell.id === id),
    counts: (_caller) => countAll(database),
    health: (_caller) =>
      measureHealth(
        database,
        deps.platform.cells.map(({ id }) => id),
      ),
    driftFigures: () => measureDrift(database),
    isolationFigures: () => countIsolations(database, ISOLATION_OVERDUE_MS),
    projectionLag: () =>
      measureLag(
        database,
        deps.platform.cells.filter(({ projection }) => projection).map(({ id }) => id),
      ),
    webhooks: createWebhookClient(deps, once),
    webhookFigures: () => measureWebhooks(database),
    readiness: readinessCheck(deps, lookAtWorkers),
    workers: () => workers.seen(),
    watchWorkers: () => workers.start(),
    close: () => feed.close(),
  };
}
