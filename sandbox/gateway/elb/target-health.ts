import http from 'node:http';
import type { Addresses } from '../ecs/addresses.ts';
import type { Scope } from '../request.ts';
import type { Clock } from '../time.ts';
import type { Upstream } from '../upstream.ts';
import type { Routes } from './routes.ts';
import {
  defaultDeregistrationDelayMs,
  deregistrationDelayMs,
  loadTargetGroup,
  matches,
  type TargetGroup,
} from './target-group.ts';

export type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining';

export interface TargetKey {
  /** Address of the target. */
  readonly id: string;
  readonly port: number;
}

/** One registered target, with what DescribeTargetHealth says of it. */
export interface Target extends TargetKey {
  readonly targetGroupArn: string;
  state: TargetState;
  reason: string | undefined;
  description: string | undefined;
}

interface Watched extends Target {
  readonly scope: Scope;
  passes: number;
  failures: number;
  /** Cancels the next health check. */
  cancel: () => void;
  drained: Promise<void> | undefined;
}

interface Verdict {
  readonly ok: boolean;
  readonly reason?: string;
  readonly description?: string;
}

export interface TargetHealthParts {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly addresses: Addresses;
  readonly routes: Routes;
}

const words = {
  registering: ['Elb.RegistrationInProgress', 'Target registration is in progress'],
  checking: ['Elb.InitialHealthChecking', 'Initial health checks in progress'],
  notInUse: ['Target.NotInUse', 'Target group is not configured to receive traffic from the load balancer'],
  draining: ['Target.DeregistrationInProgress', 'Target deregistration is in progress'],
} as const;

/** Registered targets of all target groups, judged by real requests to what listens behind their addresses. */
export class TargetHealth {
  readonly #parts: TargetHealthParts;
  readonly #groups = new Map<string, Watched[]>();
  readonly #settings = new Map<string, Promise<TargetGroup | undefined>>();
  #changed: (targetGroupArn: string) => void = () => undefined;

  constructor(parts: TargetHealthParts) {
    this.#parts = parts;
  }

  /** Sets who is told when a target's state changes. */
  onChange(listener: (targetGroupArn: string) => void): void {
    this.#changed = listener;
  }

  /** Targets of all groups. */
  all(): readonly Target[] {
    return [...this.#groups.values()].flat();
  }

  targets(targetGroupArn: string): readonly Target[] {
    return this.#groups.get(targetGroupArn) ?? [];
  }

  stateOf(targetGroupArn: string, key: TargetKey): TargetState | undefined {
    return this.#find(targetGroupArn, key)?.state;
  }

  /** Healthy targets that something listens behind. */
  healthy(targetGroupArn: string): { readonly target: Target; readonly localPort: number }[] {
    return this.targets(targetGroupArn).flatMap((target) => {
      const localPort =
        target.state === 'healthy' ? this.#parts.addresses.localPort(target.id, target.port) : undefined;
      return localPort === undefined ? [] : [{ target, localPort }];
    });
  }

  /** Registers a target; one that drains comes back. Unknown groups are ignored, as a service may outlive its group. */
  async register(scope: Scope, targetGroupArn: string, key: TargetKey): Promise<void> {
    const group = await this.#group(scope, targetGroupArn);
    if (!group) return;
    const known = this.#find(targetGroupArn, key);
    if (known && known.state !== 'draining') return;
    if (known) this.#remove(known);
    const [reason, description] = words.registering;
    const target: Watched = {
      ...key,
      targetGroupArn,
      scope,
      reason,
      description,
      state: 'initial',
      passes: 0,
      failures: 0,
      cancel: () => undefined,
      drained: undefined,
    };
    this.#groups.set(targetGroupArn, [...(this.#groups.get(targetGroupArn) ?? []), target]);
    this.#checkLater(target, group, true);
  }

  /** Takes a target out; resolves when its deregistration delay has passed. */
  async deregister(scope: Scope, targetGroupArn: string, key: TargetKey): Promise<void> {
    const target = this.#find(targetGroupArn, key);
    if (!target) return;
    target.drained ??= this.#drain(scope, target);
    await target.drained;
  }

  /** Forgets a group's settings after they were changed. */
  refresh(targetGroupArn: string): void {
    this.#settings.delete(targetGroupArn);
  }

  /** Forgets a group that was deleted, with its targets. */
  drop(targetGroupArn: string): void {
    this.refresh(targetGroupArn);
    for (const target of this.#groups.get(targetGroupArn) ?? []) target.cancel();
    this.#groups.delete(targetGroupArn);
  }

  async #drain(scope: Scope, target: Watched): Promise<void> {
    target.cancel();
    this.#set(target, 'draining', ...words.draining);
    // With the upstream out of reach the task must still end: then it drains for as long as AWS does by default.
    const delayMs = await deregistrationDelayMs(this.#parts.upstream, scope, target.targetGroupArn).catch(
      () => defaultDeregistrationDelayMs,
    );
    await this.#parts.clock.sleep(delayMs * this.#parts.clock.settings.deregistrationDelayScale);
    this.#remove(target);
  }

  #checkLater(target: Watched, group: TargetGroup, isFirst = false): void {
    if (!this.#isWatched(target)) return;
    const intervalMs = Math.min(group.intervalMs, this.#parts.clock.settings.targetHealthMs);
    // The first check comes soon after registration, as the load balancer's does.
    target.cancel = this.#parts.clock.after(isFirst ? intervalMs / 4 : intervalMs, () => {
      void this.#checkNow(target, group);
    });
  }

  /** One check by the group's settings of now, and the next one after it. Never rejects. */
  async #checkNow(target: Watched, before: TargetGroup): Promise<void> {
    let group = before;
    try {
      group = (await this.#group(target.scope, target.targetGroupArn)) ?? before;
      await this.#check(target, group);
    } catch (error) {
      this.#judge(target, group, { ok: false, reason: 'Elb.InternalError', description: String(error) });
    }
    this.#checkLater(target, group);
  }

  async #check(target: Watched, group: TargetGroup): Promise<void> {
    const attached = await this.#parts.routes.loadBalancersOf(target.scope, target.targetGroupArn);
    if (!this.#isWatched(target)) return;
    if (attached.length === 0) {
      target.passes = target.failures = 0;
      this.#set(target, 'unused', ...words.notInUse);
      return;
    }
    if (target.state === 'unused' || target.reason === words.registering[0])
      this.#set(target, 'initial', ...words.checking);
    const localPort = this.#parts.addresses.localPort(target.id, group.healthPort ?? target.port);
    this.#judge(target, group, await probe(localPort, group));
  }

  #judge(target: Watched, group: TargetGroup, verdict: Verdict): void {
    if (!this.#isWatched(target)) return;
    target.passes = verdict.ok ? target.passes + 1 : 0;
    target.failures = verdict.ok ? 0 : target.failures + 1;
    // A new target needs to pass one check only (ELB user guide, "Target health status").
    const passesNeeded = target.state === 'initial' ? 1 : group.healthyThreshold;
    if (verdict.ok && target.passes >= passesNeeded) this.#set(target, 'healthy', undefined, undefined);
    if (!verdict.ok && target.failures >= group.unhealthyThreshold) {
      this.#set(target, 'unhealthy', verdict.reason, verdict.description);
    }
  }

  #set(target: Watched, state: TargetState, reason: string | undefined, description: string | undefined): void {
    const isChange = target.state !== state;
    Object.assign(target, { state, reason, description });
    if (isChange) this.#changed(target.targetGroupArn);
  }

  #group(scope: Scope, targetGroupArn: string): Promise<TargetGroup | undefined> {
    const known = this.#settings.get(targetGroupArn);
    if (known) return known;
    const loading = loadTargetGroup(this.#parts.upstream, scope, targetGroupArn);
    this.#settings.set(targetGroupArn, loading);
    loading.then(
      (group) => !group && this.#settings.delete(targetGroupArn),
      () => this.#settings.delete(targetGroupArn),
    );
    return loading;
  }

  #find(targetGroupArn: string, key: TargetKey): Watched | undefined {
    return this.#groups.get(targetGroupArn)?.find((t) => t.id === key.id && t.port === key.port);
  }

  #isWatched(target: Watched): boolean {
    return target.state !== 'draining' && (this.#groups.get(target.targetGroupArn)?.includes(target) ?? false);
  }

  #remove(target: Watched): void {
    target.cancel();
    const rest = (this.#groups.get(target.targetGroupArn) ?? []).filter((t) => t !== target);
    if (rest.length > 0) this.#groups.set(target.targetGroupArn, rest);
    else this.#groups.delete(target.targetGroupArn);
    this.#changed(target.targetGroupArn);
  }
}

/** One health check, as the load balancer sends it. */
function probe(localPort: number | undefined, group: TargetGroup): Promise<Verdict> {
  const timedOut: Verdict = { ok: false, reason: 'Target.Timeout', description: 'Request timed out' };
  if (localPort === undefined) return Promise.resolve(timedOut);
  return new Promise((resolve) => {
    const request = http.get(
      {
        host: '127.0.0.1',
        port: localPort,
        path: group.healthPath,
        timeout: group.timeoutMs,
        agent: false,
        headers: { 'user-agent': 'ELB-HealthChecker/2.0' },
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(
          matches(group.matcher, status)
            ? { ok: true }
            : {
                ok: false,
                reason: 'Target.ResponseCodeMismatch',
                description: `Health checks failed with these codes: [${status}]`,
              },
        );
      },
    );
    request.on('timeout', () => {
      resolve(timedOut);
      request.destroy();
    });
    request.on('error', () =>
      resolve({ ok: false, reason: 'Target.FailedHealthChecks', description: 'Health checks failed' }),
    );
  });
}
