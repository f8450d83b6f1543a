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
  priority: number;
  readonly conditions: readonly RuleCondition[];
  readonly actions: readonly Action[];
}

export interface Listener {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly protocol: string;
  readonly defaultActions: readonly Action[];
  /** Without the default rule, in order of priority. */
  readonly rules: Rule[];
}

/**
 * The routing that exists upstream, read once per scope and kept in step by the handlers that change it. A change made
 * behind the gateway's back is seen after the next `forget`.
 */
export class Routes {
  readonly #upstream: Upstream;
  readonly #cache = new Map<string, Promise<Map<string, Listener>>>();

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
    const found = new Set<string>();
    for (const listener of (await this.listeners(scope)).values()) {
      const actions = [...listener.defaultActions, ...listener.rules.flatMap((r) => r.actions)];
      if (actions.some((a) => targetGroupsOf(a).includes(targetGroupArn))) found.add(listener.loadBalancerArn);
    }
    return [...found];
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
      for (const { ListenerArn, Port, Protocol, DefaultActions = [] } of Listeners) {
        if (!ListenerArn || !LoadBalancerArn) continue;
        const { Rules = [] } = await elb.send(new DescribeRulesCommand({ ListenerArn }));
        listeners.set(ListenerArn, {
          arn: ListenerArn,
          loadBalancerArn: LoadBalancerArn,
          port: Port ?? 80,
          protocol: Protocol ?? 'HTTP',
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

/** Sorts in place by priority. */
export function sortRules(rules: Rule[]): Rule[] {
  return rules.sort((a, b) => a.priority - b.priority);
}

/** Target groups that an action forwards to. */
export function targetGroupsOf(action: Action): string[] {
  if (action.Type !== 'forward') return [];
  const many = action.ForwardConfig?.TargetGroups?.flatMap((g) => (g.TargetGroupArn ? [g.TargetGroupArn] : [])) ?? [];
  return action.TargetGroupArn ? [...new Set([action.TargetGroupArn, ...many])] : many;
}
