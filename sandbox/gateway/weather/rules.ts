import { randomUUID } from 'node:crypto';
import type { Call } from '../request.ts';
import { matches } from './match.ts';
import type { Fault, FaultRule } from './setting.ts';

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
export class Rule {
  readonly id: string;
  readonly given: FaultRule;
  #seen = 0;
  #hits = 0;
  #lastHitAt: Date | undefined;

  constructor(given: FaultRule) {
    this.given = given;
    this.id = given.id ?? `rule-${randomUUID().slice(0, 8)}`;
  }

  get fault(): Fault {
    return this.given.fault;
  }

  /** Whether hits are left. */
  get isArmed(): boolean {
    const { times = 1 } = this.given;
    return times === null || this.#hits < times;
  }

  /** Counts one more match; whether it is a hit, unless another rule takes it. */
  see(): boolean {
    this.#seen += 1;
    return this.isArmed && this.#seen > (this.given.skip ?? 0);
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
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((rule) => rule.id !== id);
    return this.#rules.length < before;
  }

  /** The rule that strikes this call, its hit counted. `stale` strikes answers and is asked for with {@link stale}. */
  strike(call: Call): Rule | undefined {
    const ready = this.#rules
      .filter((rule) => rule.fault.type !== 'stale' && matches(rule.given.match, call))
      // Every rule that matches counts the call, also one that another rule takes.
      .filter((rule) => rule.see());
    ready[0]?.hit();
    return ready[0];
  }

  /** `stale` rules that have hits left. */
  stale(): readonly Rule[] {
    return this.#rules.filter((rule) => rule.fault.type === 'stale' && rule.isArmed);
  }

  views(): FaultRuleView[] {
    return this.#rules.map((rule) => rule.view());
  }
}
