import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { defaultCatalog } from '../../../src/catalog/catalog.ts';
import { startGateway, type Gateway } from '../../../sandbox/gateway/gateway.ts';
import { seedLandingZone } from '../../../sandbox/landing-zone/seed.ts';
import type { Kind, Observation, StepContext } from '../../../src/kinds/framework/kind.ts';
import { OthersJudged } from '../../../src/kinds/framework/ownership.ts';
import { StepError } from '../../../src/contracts/step-error.ts';
import { createCellAws, type CellAws } from '../../../src/aws/cell-aws.ts';
import type { Step } from '../../../src/contracts/blueprint.ts';
import type { Outputs, Resolved, Spec } from '../../../src/contracts/kinds.ts';
import type { ContextOf, KindName, OutputsOf, SpecOf } from '../../support/kinds.ts';
import type { Cell } from '../../../src/contracts/platform.ts';
import { createDatabase, type Database } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { insertTenant } from '../../../src/db/tenants.ts';
import { ownershipTags, requestToken } from '../../../src/naming.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { freshAccountId, part } from '../../support/parts.ts';
import { startLossyProxy, type LossyProxy } from './lossy-proxy.ts';
import { testCaller } from '../../support/caller.ts';

/** A seeded landing zone behind the gateway, and a database: what the verbs of a kind run against. */
export interface KindWorld {
  readonly gateway: Gateway;
  readonly proxy: LossyProxy;
  readonly cell: Cell;
  readonly aws: CellAws;
  readonly db: Database;
  readonly databases: TestDatabase;
  readonly installationId: string;
  /** The account, for clients that play somebody else. */
  readonly target: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };
}

/** One world for a test file; tests take a tenant each. */
export function useKindWorld(): KindWorld {
  let world: KindWorld | undefined;
  let end: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    ({ world, end } = await createWorld());
  });
  afterAll(async () => {
    await end?.();
  });
  return new Proxy({} as KindWorld, {
    get: (_, field: keyof KindWorld) => {
      if (!world) throw new Error('the world is not up yet');
      return world[field];
    },
  });
}

async function createWorld(): Promise<{ world: KindWorld; end: () => Promise<void> }> {
  const { url: upstreamUrl } = await part('ministack');
  const gateway = await startGateway({ upstreamUrl, time: 'fast' });
  const proxy = await startLossyProxy(gateway.url);
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  const region = 'us-east-1';
  const database = { host: '127.0.0.1', port: 5432, name: 'tenants' };
  const platform = await seedLandingZone({ endpointUrl: gateway.url, region, credentials, database });
  const cell = platform.cells[0]!;
  const databases: TestDatabase = await createTestDatabase();
  await migrate(databases.controlUrl);
  const db = createDatabase({ url: databases.controlUrl });
  const aws = createCellAws(cell, { endpointUrl: proxy.url, credentials, pacing: { factor: Infinity } });
  return {
    world: {
      gateway,
      proxy,
      cell,
      aws,
      db,
      databases,
      installationId: randomUUID(),
      target: { endpoint: gateway.url, region, credentials },
    },
    end: async () => {
      aws.destroy();
      await db.close();
      await databases.drop();
      await proxy.close();
      await gateway.close();
    },
  };
}

export interface TestTenant {
  readonly id: string;
  readonly slug: string;
  readonly host: string;
}

/** A tenant with a row of its own, as the slug `<prefix>-<random>`. */
export async function newTenant(world: KindWorld, prefix = 't'): Promise<TestTenant> {
  const id = randomUUID();
  const slug = `${prefix}-${id.slice(0, 8)}`;
  const host = `${slug}.${world.cell.hostedZone.name}`;
  await insertTenant(
    world.db,
    {
      id,
      product: 'moamalat',
      tier: null,
      slug,
      displayName: slug,
      contactEmail: 'ops@example.com',
      cell: world.cell.id,
      hostName: host,
      tenantUrl: `https://${host}`,
    },
    testCaller,
  );
  return { id, slug, host };
}

export interface ContextSettings<K extends KindName> {
  readonly stepId?: string;
  readonly operationId?: string;
  readonly generation?: number;
  readonly previous?: Partial<OutputsOf<K>>;
  readonly mayExist?: boolean;
  /** What was applied last, and what the other side of an update says. */
  readonly applied?: Partial<OutputsOf<K>>;
  readonly otherSpec?: SpecOf<K>;
  readonly goesBack?: boolean;
  readonly refreshes?: boolean;
  readonly removingAt?: Date;
  /** What earlier attempts at the removal noted; by default nothing, and nothing is kept. */
  readonly noted?: Map<string, string>;
  readonly isPastCommit?: boolean;
  readonly signal?: AbortSignal;
  readonly everActive?: boolean;
  readonly cell?: Cell;
  readonly aws?: CellAws;
  /** Other steps that the blueprint has. */
  readonly steps?: readonly Step[];
}

/** What the worker hands to a verb; the same tenant gets the same operation unless the settings say otherwise. */
export function contextOf<K extends KindName>(
  world: KindWorld,
  tenant: TestTenant,
  spec: Resolved<SpecOf<K>>,
  settings: ContextSettings<K> = {},
): ContextOf<K> {
  const { stepId = 'step', generation = 1, operationId = tenant.id } = settings;
  const { installationId } = world;
  const product = 'moamalat';
  const context: ContextOf<K> = {
    installationId,
    tenant: {
      id: tenant.id,
      slug: tenant.slug,
      product,
      tier: null,
      displayName: tenant.slug,
      everActive: settings.everActive ?? false,
    },
    operation: { id: operationId },
    stepId,
    blueprint: { version: 1, product, tier: null, cell: world.cell.id, steps: settings.steps ?? [] },
    spec,
    cell: settings.cell ?? world.cell,
    generation,
    previous: settings.previous ?? {},
    mayExist: settings.mayExist ?? false,
    applied: settings.applied,
    goesBack: settings.goesBack,
    refreshes: settings.refreshes,
    ...(settings.otherSpec && { otherSpec: () => Promise.resolve(settings.otherSpec) }),
    gone: () => Promise.resolve(),
    made: () => Promise.resolve(),
    notOurs: (found) => Promise.resolve(new OthersJudged(found)),
    removal: removalNotes(settings.noted ?? new Map<string, string>()),
    recorded: { hostName: tenant.host, zoneIds: [], loadBalancerArns: [], listenerArns: [] },
    removingAt: settings.removingAt,
    isPastCommit: settings.isPastCommit,
    tags: ownershipTags({ installationId, tenantId: tenant.id, product, operationId, stepId }),
    token: (part) => requestToken(operationId, stepId, generation, part),
    aws: settings.aws ?? world.aws,
    db: world.db,
    get tenantDatabases(): never {
      throw new Error('kinds on AWS use no tenant database');
    },
    guard: () => Promise.resolve(),
    foresee: async () => {
      const { aws, blueprint, cell, tenant: of } = context;
      for (const { kind, spec: own } of blueprint.steps)
        await defaultCatalog.kinds.kinds.get(kind)?.foresee?.({ aws, blueprint, cell, tenant: of, spec: own });
    },
    signal: settings.signal ?? new AbortController().signal,
    log: pino({ level: 'silent' }),
  };
  return context;
}

/** As the ledger keeps them from one attempt to the next. */
function removalNotes(noted: Map<string, string>): StepContext['removal'] {
  return {
    noted: () => Object.fromEntries(noted),
    note: (fields) => {
      for (const [name, value] of Object.entries(fields)) {
        if (value === null) noted.delete(name);
        else noted.set(name, value);
      }
      return Promise.resolve();
    },
  };
}

/** Observes until the status is one of these. @throws Error after 20 s, or when it failed, with the last thing seen */
export async function observeUntil<S extends Spec, O extends Outputs>(
  kind: Pick<Kind<S, O>, 'observe'>,
  context: StepContext<S, O>,
  ...statuses: Observation['status'][]
): Promise<Observation> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const seen = await kind.observe(context);
    if (statuses.includes(seen.status)) return seen;
    if (seen.status === 'failed' || Date.now() > deadline)
      throw new Error(`waited in vain for ${statuses.join(' or ')}: ${JSON.stringify(seen)}`);
    await sleep(50);
  }
}

/** The StepError that a verb ends in. @throws Error when it succeeds */
export async function stepErrorOf(call: Promise<unknown>): Promise<StepError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof StepError) return error;
    throw error;
  }
  throw new Error('the verb succeeded');
}
