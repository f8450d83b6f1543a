import { randomUUID } from 'node:crypto';
import type { Call } from '../request.ts';
import { matches, namesReads } from './match.ts';
import type { FaultRule } from './setting.ts';
import type { Staleness } from './stale.ts';
import type { Strike } from './strikes.ts';

/** A rule and what became of it. */
export interface FaultRuleView extends FaultRule {
  readonly id: string;
  /** Calls that matched so far (for `stale`: reads that would have been answered otherwise). */
  readonly seen: number;
  /** Calls that it struck. */
  readonly hits: number;
  readonly lastHitAt?: string;
}

/** A rule in force. */
class Rule {
  readonly id: string;
  readonly given: FaultRule;
  #seen = 0;
  #hits = 0;
  #lastHitAt: Date | undefined;
  #isWithdrawn = false;

  constructor(given: FaultRule) {
    this.given = given;
    this.id = given.id ?? `rule-${randomUUID().slice(0, 8)}`;
  }

  /** Whether it is in force and hits are left. */
  isArmed(): boolean {
    const { times = 1 } = this.given;
    return !this.#isWithdrawn && (times === null || this.#hits < times);
  }

  /** Ends it for good, what it keeps stale included. */
  withdraw(): void {
    this.#isWithdrawn = true;
  }

  /** Counts one more match; whether it is a hit, unless another rule takes it. */
  see(): boolean {
    this.#seen += 1;
    return this.isArmed() && this.#seen > (this.given.skip ?? 0);
  }

  hit(): void {
    this.#hits += 1;
    this.#lastHitAt = new Date();
  }

  view(): FaultRuleView {
    return {
      ...this.given,
      id: this.id,
      seen: this.#seen,
      hits: this.#hits,
      ...(this.#lastHitAt && { lastHitAt: this.#lastHitAt.toISOString() }),
    };
  }
}

/** The rules in force, in the order in which they were given: the first that matches and has hits left strikes. */
export class Rules {
  #rules: Rule[] = [];

  /** @throws RangeError when two have the same id; the rules before stay in force then. */
  replace(given: readonly FaultRule[]): void {
    const rules = given.map((rule) => new Rule(rule));
    const ids = new Set(rules.map(({ id }) => id));
    if (ids.size < rules.length) throw new RangeError('two rules have the same id');
    for (const rule of this.#rules) rule.withdraw();
    this.#rules = rules;
  }

  /** Answers the rule's id. @throws RangeError when it is taken. */
  add(given: FaultRule): string {
    const rule = new Rule(given);
    if (this.#rules.some(({ id }) => id === rule.id)) throw new RangeError(`there is a rule "${rule.id}" already`);
    this.#rules.push(rule);
    return rule.id;
  }

  /** Whether there was one. */
  remove(id: string): boolean {
    const rule = this.#rules.find((r) => r.id === id);
    rule?.withdraw();
    this.#rules = this.#rules.filter((r) => r !== rule);
    return rule !== undefined;
  }

  /** The rule that strikes this call, its hit counted. */
  strike(call: Call): Strike | undefined {
    let struck: Strike | undefined;
    for (const rule of this.#rules) {
      const { match, fault } = rule.given;
      // Every rule that matches counts the call, also one that another rule takes.
      if (fault.type === 'stale' || !matches(match, call) || !rule.see() || struck) continue;
      rule.hit();
      struck = { ruleId: rule.id, fault };
    }
    return struck;
  }

  /** What makes reads stale after this change: rules that mean the change, and rules that mean reads. */
  stalenesses(change: Call): Staleness[] {
    return this.#rules.flatMap((rule) => {
      const { match, fault } = rule.given;
      if (fault.type !== 'stale' || !rule.isArmed()) return [];
      const reads = namesReads(match) ? match : undefined;
      if (!reads && !matches(match, change)) return [];
      const { id } = rule;
      const counted = { isArmed: () => rule.isArmed(), see: () => rule.see(), hit: () => rule.hit() };
      return [{ id, forMs: fault.forMs, reads, ...counted }];
    });
  }

  views(): FaultRuleView[] {
    return this.#rules.map((rule) => rule.view());
  }
}
