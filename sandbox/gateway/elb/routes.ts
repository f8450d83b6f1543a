import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  type Action,
  type Rule as SdkRule,
  type RuleCondition,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { scopeKey, type Scope } from '../request.ts';
import type { Upstream } from '../upstream.ts';

export interface Rule {
  readonly arn: string;
  readonly priority: number;
  readonly conditions: readonly RuleCondition[];
  readonly actions: readonly Action[];
}

export interface Listener {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly protocol: string;
  /** Its default certificate, of an HTTPS listener. */
  readonly certificateArns: readonly string[];
  readonly defaultActions: readonly Action[];
  /** Without the default rule, in order of priority. */
  readonly rules: readonly Rule[];
}

/**
 * The routing that exists upstream, read once per scope and kept in step by the handlers that change it. A change made
 * behind the gateway's back is seen after the next `forget`.
 */
export class Routes {
  readonly #upstream: Upstream;
  readonly #cache = new Map<string, Promise<Map<string, Listener>>>();
  /** Target group to load balancers, rebuilt after a change: health checks ask often. */
  readonly #attached = new WeakMap<Map<string, Listener>, ReadonlyMap<string, ReadonlySet<string>>>();

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** Listeners by ARN. */
  listeners(scope: Scope): Promise<Map<string, Listener>> {
    const key = scopeKey(scope);
    const known = this.#cache.get(key);
    if (known) return known;
    const loading = this.#load(scope);
    this.#cache.set(key, loading);
    // A failed read must not be remembered; its error goes to whoever waits for it.
    loading.catch(() => this.#cache.delete(key));
    return loading;
  }

  /** Load balancers that send traffic to this target group, from rules and default actions. */
  async loadBalancersOf(scope: Scope, targetGroupArn: string): Promise<string[]> {
    const listeners = await this.listeners(scope);
    const index = this.#attached.get(listeners) ?? indexAttached(listeners);
    this.#attached.set(listeners, index);
    return [...(index.get(targetGroupArn) ?? [])];
  }

  /** Replaces a listener's rules with what they became upstream. */
  async setRules(scope: Scope, listenerArn: string, rules: readonly Rule[]): Promise<void> {
    const listeners = await this.listeners(scope);
    const listener = listeners.get(listenerArn);
    if (!listener) return;
    listeners.set(listenerArn, { ...listener, rules: sortRules(rules) });
    this.#attached.delete(listeners);
  }

  /** Reads again at the next question. */
  forget(scope: Scope): void {
    this.#cache.delete(scopeKey(scope));
  }

  async #load(scope: Scope): Promise<Map<string, Listener>> {
    const { elb } = this.#upstream.clients(scope);
    const listeners = new Map<string, Listener>();
    const { LoadBalancers = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
    for (const { LoadBalancerArn } of LoadBalancers) {
      const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn }));
      for (const { Certificates = [], ListenerArn, Port, Protocol, DefaultActions = [] } of Listeners) {
        if (!ListenerArn || !LoadBalancerArn) continue;
        const { Rules = [] } = await elb.send(new DescribeRulesCommand({ ListenerArn }));
        listeners.set(ListenerArn, {
          arn: ListenerArn,
          loadBalancerArn: LoadBalancerArn,
          port: Port ?? 80,
          protocol: Protocol ?? 'HTTP',
          certificateArns: Certificates.flatMap((c) => c.CertificateArn ?? []),
          defaultActions: DefaultActions,
          rules: sortRules(Rules.filter((r) => !r.IsDefault).map(readRule)),
        });
      }
    }
    return listeners;
  }
}

/** A rule as the SDK reads it. */
export function readRule(rule: SdkRule): Rule {
  return {
    arn: rule.RuleArn ?? '',
    priority: Number(rule.Priority ?? 0),
    conditions: rule.Conditions ?? [],
    actions: rule.Actions ?? [],
  };
}

function sortRules(rules: readonly Rule[]): readonly Rule[] {
  return [...rules].sort((a, b) => a.priority - b.priority);
}

function indexAttached(listeners: ReadonlyMap<string, Listener>): ReadonlyMap<string, ReadonlySet<string>> {
  const index = new Map<string, Set<string>>();
  for (const { defaultActions, rules, loadBalancerArn } of listeners.values()) {
    for (const arn of [...defaultActions, ...rules.flatMap((r) => r.actions)].flatMap(targetGroupsOf)) {
      index.set(arn, (index.get(arn) ?? new Set()).add(loadBalancerArn));
    }
  }
  return index;
}

/** Target groups that an action forwards to. */
export function targetGroupsOf(action: Action): string[] {
  if (action.Type !== 'forward') return [];
  const many = action.ForwardConfig?.TargetGroups?.flatMap((g) => (g.TargetGroupArn ? [g.TargetGroupArn] : [])) ?? [];
  return action.TargetGroupArn ? [...new Set([action.TargetGroupArn, ...many])] : many;
}
