/** How much of a load balancer something takes, by the quotas that bound it. */
export interface LoadBalancerShare {
  readonly rules: number;
  readonly targetGroups: number;
}

/** What an Application Load Balancer may have by default; AWS raises the first on request, never the second. */
export const loadBalancerQuotas: LoadBalancerShare = { rules: 100, targetGroups: 100 };
