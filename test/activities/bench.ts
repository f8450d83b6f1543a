import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities } from '../../src/activities/create-activities.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import type { Kind, KindRegistry, Observation, ResourceName } from '../../src/activities/kind.ts';
import { OthersJudged, type NotOurs } from '../../src/activities/ownership.ts';
import { currentCallContext } from '../../src/aws/call-context.ts';
import type { Activities } from '../../src/contracts/activities.ts';
import { kindNames } from '../../src/contracts/kinds.ts';
import { tenantActivation } from '../../src/activities/kinds/tenant-activation.ts';
import type { Database } from '../../src/db/database.ts';
import { platform } from '../db/fixtures.ts';

export const installationId = '00000000-0000-4000-8000-000000000001';

/** A kind that keeps what it made, and does at each call what a test has told it to. */
export class FakeKind implements Kind<'log-group'> {
  /** Names that exist. */
  readonly made = new Set<string>();
  readonly calls: string[] = [];
  outcome: 'ready' | 'pending' = 'ready';
  seen: Observation | undefined;
  print = 'a';
  deletesByName?: true;
  /** What a removal takes before the rest. */
  gone: ResourceName[] = [];
  /** What a removal sees under its names without the tenant's mark. */
  others: NotOurs[] = [];
  /** Looks of removals that do not show yet what there is. */
  staleLooks = 0;
  beforeEffect: () => Promise<void> = () => Promise.resolve();
  afterEffect: () => Promise<void> = () => Promise.resolve();
  removing: () => Promise<void> = () => Promise.resolve();

  resources: Kind<'log-group'>['resources'] = ({ spec }) => [{ type: 'logs:log-group', name: nameIn(spec) }];
  fingerprint = () => Promise.resolve(this.print);

  ensure: Kind<'log-group'>['ensure'] = async ({ spec }) => {
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
      physicalIds: { [nameIn(spec)]: `arn:${nameIn(spec)}` },
    };
  };

  observe: Kind<'log-group'>['observe'] = ({ spec }) => {
    this.calls.push('observe');
    const usual: Observation = this.made.has(nameIn(spec))
      ? { status: 'ready', detail: 'it is there' }
      : { status: 'absent', detail: 'it is not there', others: new OthersJudged([]) };
    return Promise.resolve(this.seen ?? usual);
  };

  remove: Kind<'log-group'>['remove'] = async ({ spec, gone, notOurs }) => {
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
function nameIn(spec: { readonly name?: string }): string {
  return spec.name ?? 'nameless';
}

/** Activities over the fake kind (for every kind but the activation), called as a worker calls them. */
export function activityBench(database: Database, fake: FakeKind, log = pino({ level: 'silent' })) {
  const kinds = Object.fromEntries(kindNames.map((name) => [name, fake])) as unknown as KindRegistry;
  const deps: ActivityDependencies = {
    database,
    platform,
    installationId,
    log,
    kinds: { ...kinds, 'tenant-activation': tenantActivation },
    // The fake kinds call neither.
    aws: () => ({}) as ReturnType<ActivityDependencies['aws']>,
    tenantDatabases: {} as ActivityDependencies['tenantDatabases'],
  };
  const activities = createActivities(deps);
  return <N extends keyof Activities>(
    name: N,
    input: Parameters<Activities[N]>[0],
    attempt = 1,
  ): Promise<Awaited<ReturnType<Activities[N]>>> => {
    const environment = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR') });
    const activity = activities[name] as (input: unknown) => Promise<Awaited<ReturnType<Activities[N]>>>;
    return environment.run(() => activity(input));
  };
}
