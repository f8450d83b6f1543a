import { AwsError } from '../answer.ts';

/** What a quota counts, AWS's default, and how AWS refuses one more. */
const table = {
  'target-groups-per-load-balancer': {
    limit: 100,
    // Counted once however many rules and listeners use it (ELBv2 API reference).
    refuse: () =>
      new AwsError(
        'TooManyUniqueTargetGroupsPerLoadBalancer',
        "You've reached the limit on the number of unique target groups per load balancer across all listeners",
      ),
  },
  'rules-per-load-balancer': {
    // Default rules not counted (ELB quota page).
    limit: 100,
    refuse: () => new AwsError('TooManyRules', "You've reached the limit on the number of rules per load balancer"),
  },
  'target-groups': {
    limit: 3000,
    refuse: () =>
      new AwsError('TooManyTargetGroups', "You've reached the limit on the number of target groups for your account"),
  },
  'tags-per-resource': {
    limit: 50,
    refuse: () => new AwsError('TooManyTags', "You've reached the limit on the number of tags per resource"),
  },
  // CreateService documents no code of its own for a quota; a desired count above its quota is answered with
  // InvalidParameterException "Desired count exceeds limit." (containers-roadmap issue 768), and this in the same way.
  'services-per-cluster': {
    limit: 5000,
    refuse: () => new AwsError('InvalidParameterException', 'Number of services exceeds limit.'),
  },
  'tasks-per-service': {
    limit: 5000,
    refuse: () => new AwsError('InvalidParameterException', 'Desired count exceeds limit.'),
  },
  // ChangeResourceRecordSets documents no code of its own for a full zone; words as those of its batch limits.
  'records-per-zone': {
    limit: 10_000,
    refuse: (limit: number) =>
      new AwsError('InvalidChangeBatch', `[Number of resource record sets limit of ${limit} exceeded.]`),
  },
} satisfies Readonly<Record<string, { readonly limit: number; readonly refuse: (limit: number) => AwsError }>>;

export type QuotaName = keyof typeof table;

/** Quotas that an account got raised (or a test wants lower). */
export type QuotaOverrides = Readonly<Partial<Record<QuotaName, number>>>;

export const quotaNames = Object.keys(table).filter(isQuotaName);

/** True for the name of a quota. */
export function isQuotaName(value: string): value is QuotaName {
  return Object.hasOwn(table, value);
}

/** Account quotas: infinite while limits are off. Handlers ask just before they make one more, in turn. */
export class Quotas {
  #overrides: QuotaOverrides | undefined;
  readonly #refused = new Map<QuotaName, number>();

  /** Switches quotas on, with these instead of AWS's defaults; undefined switches them off. */
  set(overrides: QuotaOverrides | undefined): void {
    this.#overrides = overrides;
    if (overrides) this.#refused.clear();
  }

  get isOn(): boolean {
    return this.#overrides !== undefined;
  }

  limitOf(name: QuotaName): number {
    return this.#overrides ? (this.#overrides[name] ?? table[name].limit) : Number.POSITIVE_INFINITY;
  }

  /** @throws AwsError in the service's words when there would be more than the quota allows. */
  require(name: QuotaName, count: number): void {
    const limit = this.limitOf(name);
    if (count <= limit) return;
    this.#refused.set(name, (this.#refused.get(name) ?? 0) + 1);
    throw table[name].refuse(limit);
  }

  /** Quotas in force, and how often each refused something since it was set. */
  state(): { limits: Partial<Record<QuotaName, number>>; refused: Partial<Record<QuotaName, number>> } {
    return {
      limits: this.isOn ? Object.fromEntries(quotaNames.map((name) => [name, this.limitOf(name)])) : {},
      refused: Object.fromEntries(this.#refused),
    };
  }
}
