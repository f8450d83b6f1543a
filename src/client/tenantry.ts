import type { ClientDeps, CreateTenantInput, ListInput } from './requests.ts';
import type { Audit, OperationRow } from '../db/operations.ts';
import { countAll, type Counts } from '../db/summaries.ts';
import { abandon } from './abandonment.ts';
import { createTenant } from './creation.ts';
import { createEventFeed } from './event-feed.ts';
import { control } from './operator-control.ts';
import { listProducts, type ProductView } from './product-list.ts';
import * as reading from './reading.ts';
import { readinessCheck, type Readiness } from './readiness.ts';
import { deleteTenant, type DeleteOutcome } from './removal.ts';
import { startAccepted } from './starting.ts';
import type {
  AcceptedView,
  EventView,
  ListedTenantView,
  OperationView,
  StatusView,
  TenantWithOutcomeView,
  WorkersView,
} from './views.ts';
import { createWorkerWatch } from './worker-watch.ts';
import { workersLook } from './workers.ts';

/** The typed facade: the only place that starts, signals and queries. Every method may throw {@link RequestError}. */
export interface TenantryClient {
  createTenant(input: CreateTenantInput): Promise<AcceptedView>;
  /** @param confirm the tenant's slug, repeated. */
  deleteTenant(tenantId: string, confirm: string | undefined): Promise<DeleteOutcome>;
  cancel(tenantId: string): Promise<AcceptedView>;
  retry(tenantId: string): Promise<AcceptedView>;
  /** Closes a stuck operation without finishing it; what is left stays in the ledger. */
  abandon(tenantId: string, audit: Audit): Promise<OperationView>;
  /**
   * Starts the run of an operation that was accepted and has none (the process died between writing and starting, or
   * an earlier run was still open). Safe to repeat. @throws OrchestratorUnreachableError
   */
  startAccepted(operation: OperationRow): Promise<'started' | 'already-open'>;
  get(tenantId: string): Promise<TenantWithOutcomeView>;
  list(input: ListInput): Promise<{ tenants: ListedTenantView[]; nextCursor: string | null }>;
  status(tenantId: string): Promise<StatusView>;
  events(tenantId: string, page: { after: number; limit: number }): Promise<EventView[]>;
  operations(tenantId: string): Promise<OperationView[]>;
  operation(tenantId: string, operationId: string): Promise<OperationView>;
  /** Calls back when the tenant may have new events; misses none while PostgreSQL is reached. @returns unsubscribe */
  subscribe(tenantId: string, onEvents: () => void): () => void;
  products(): ProductView[];
  counts(): Promise<Counts>;
  readiness(): Promise<Readiness>;
  /** Whether a worker polls, as seen lately: nobody waits for it. */
  workers(): WorkersView;
  /** Looks at the workers until stopped; raises the alert `no-worker`. */
  watchWorkers(): { stop(): Promise<void> };
  /** Stops listening for events; database and orchestrator belong to the caller. */
  close(): Promise<void>;
}

export function createTenantryClient(deps: ClientDeps): TenantryClient {
  const { database } = deps;
  const feed = createEventFeed(database, deps.log);
  const lookAtWorkers = workersLook(database, deps.orchestrator);
  const workers = createWorkerWatch(deps, lookAtWorkers, deps.workerWatchTimes);
  return {
    createTenant: (input) => createTenant(deps, input),
    deleteTenant: (tenantId, confirm) => deleteTenant(deps, tenantId, confirm),
    cancel: (tenantId) => control(deps, tenantId, 'cancel'),
    retry: (tenantId) => control(deps, tenantId, 'retry'),
    abandon: (tenantId, audit) => abandon(deps, tenantId, audit),
    startAccepted: (operation) => startAccepted(deps, operation),
    get: (tenantId) => reading.readTenant(database, tenantId),
    list: (input) => reading.readTenants(database, input),
    status: (tenantId) => reading.readStatus(database, tenantId),
    events: (tenantId, page) => reading.readEvents(database, tenantId, page),
    operations: (tenantId) => reading.readOperations(database, tenantId),
    operation: (tenantId, operationId) => reading.readOperation(database, tenantId, operationId),
    subscribe: (tenantId, onEvents) => feed.subscribe(tenantId, onEvents),
    products: () => listProducts(deps),
    counts: () => countAll(database),
    readiness: readinessCheck(deps, lookAtWorkers),
    workers: () => workers.seen(),
    watchWorkers: () => workers.start(),
    close: () => feed.close(),
  };
}
