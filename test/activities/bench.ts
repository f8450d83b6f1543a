import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities } from '../../src/activities/create-activities.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import type { Kind, Observation, ResourceName, StepContext } from '../../src/kinds/framework/kind.ts';
import { createKindRegistry } from '../../src/kinds/framework/registry.ts';
import { OthersJudged, type NotOurs } from '../../src/kinds/framework/ownership.ts';
import { currentCallContext } from '../../src/aws/call-context.ts';
import type { Activities } from '../../src/contracts/activities.ts';
import type { Database } from '../../src/db/database.ts';
import { platform } from '../db/fixtures.ts';

export const installationId = '00000000-0000-4000-8000-000000000001';

/** A kind that keeps what it made, and does at each call what a test has told it to. */
export class FakeKind {
  /** Names that exist. */
  readonly made = new Set<string>();
  readonly calls: string[] = [];
  outcome: 'ready' | 'pending' = 'ready';
  seen: Observation | undefined;
  print = 'a';
  deletesByName?: true;
  /** Tells one thing of a name from another. */
  id = '';
  /** `ensure` makes what was not there. */
  anew = false;
  /** What a removal takes before the rest. */
  gone: ResourceName[] = [];
  /** What a removal sees under its names without the tenant's mark. */
  others: NotOurs[] = [];
  /** Looks of removals that do not show yet what there is. */
  staleLooks = 0;
  beforeEffect: () => Promise<void> = () => Promise.resolve();
  afterEffect: () => Promise<void> = () => Promise.resolve();
  removing: () => Promise<void> = () => Promise.resolve();

  resources: Kind['resources'] = ({ spec }: StepContext) => [{ type: 'logs:log-group', name: nameIn(spec) }];
  fingerprint = () => Promise.resolve(this.print);

  ensure: Kind['ensure'] = async ({ spec }: StepContext) => {
    this.calls.push('ensure');
    await this.beforeEffect();
    // As every AWS adapter does before it changes something.
    await currentCallContext()?.beforeMutation();
    this.made.add(nameIn(spec));
    currentCallContext()?.afterMutation?.();
    await this.afterEffect();
    return {
      status: this.outcome,
      outputs: { name: nameIn(spec) },
      physicalIds: { [nameIn(spec)]: `arn:${nameIn(spec)}${this.id}` },
      ...(this.anew && { anew: [{ type: 'logs:log-group', name: nameIn(spec) }] }),
    };
  };

  observe: Kind['observe'] = ({ spec }: StepContext) => {
    this.calls.push('observe');
    const usual: Observation = this.made.has(nameIn(spec))
      ? { status: 'ready', detail: 'it is there' }
      : { status: 'absent', detail: 'it is not there', others: new OthersJudged([]) };
    return Promise.resolve(this.seen ?? usual);
  };

  remove: Kind['remove'] = async ({ spec, gone, notOurs }: StepContext) => {
    this.calls.push('remove');
    const others = await notOurs(this.others);
    await gone(this.gone);
    if (this.staleLooks-- > 0) return { status: 'removed', others, missing: true };
    await currentCallContext()?.beforeMutation();
    await this.removing();
    this.made.delete(nameIn(spec));
    const residues = [{ type: 'thing', name: nameIn(spec), reason: 'by design', expiresAt: null }];
    return { status: this.outcome === 'pending' ? 'pending' : 'removed', others, residues };
  };
}

/** Specs of other kinds have no name. */
function nameIn(spec: Readonly<Record<string, unknown>>): string {
  return typeof spec['name'] === 'string' ? spec['name'] : 'nameless';
}

/** The kind with the fake's verbs, which a test may change at any time. */
function faked(kind: Kind, fake: FakeKind): Kind {
  return {
    ...kind,
    resources: (context) => fake.resources(context),
    fingerprint: () => fake.fingerprint(),
    ensure: (context) => fake.ensure(context),
    observe: (context) => fake.observe(context),
    remove: (context) => fake.remove(context),
    get deletesByName() {
      return fake.deletesByName;
    },
  };
}

/** Activities over the fake kind (for every kind but the activation). */
export function fakedActivities(
  database: Database,
  fake: FakeKind,
  log = pino({ level: 'silent' }),
  own: readonly Kind[] = builtInKinds,
) {
  const kinds = createKindRegistry(own.map((kind) => (kind.commit ? kind : faked(kind, fake))));
  const deps: ActivityDependencies = {
    database,
    platform,
    installationId,
    log,
    kinds,
    // The fake kinds call neither.
    aws: () => ({}) as ReturnType<ActivityDependencies['aws']>,
    tenantDatabases: {} as ActivityDependencies['tenantDatabases'],
  };
  return createActivities(deps);
}

/** {@link fakedActivities}, called as a worker calls them. */
export function activityBench(...of: Parameters<typeof fakedActivities>) {
  const activities = fakedActivities(...of);
  return <N extends keyof Activities>(
    name: N,
    input: Parameters<Activities[N]>[0],
    attempt = 1,
  ): Promise<Awaited<ReturnType<Activities[N]>>> => {
    const environment = new MockActivityEnvironment(
      { attempt, activityType: name, currentAttemptScheduledTimestampMs: Date.now() },
      { logger: new DefaultLogger('ERROR') },
    );
    const activity = (activities[name] ?? activities.default) as (
      input: unknown,
    ) => Promise<Awaited<ReturnType<Activities[N]>>>;
    return environment.run(() => activity(input));
  };
}
