import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { HealthChange } from '../db/tenant-health.ts';

/** What a round tells of. */
export interface Told extends HealthChange {
  /** On which nobody answers; empty: each of the tenant's does. */
  readonly closedLoadBalancers: readonly string[];
}

/**
 * Tells of changes of a round: an alert for each tenant that is down, and one for each load balancer that is out of reach, however
 * many tenants are behind it.
 * @param knownClosed load balancers that an earlier round told of
 */
export function createTelling(log: Logger, cell: string, knownClosed: readonly string[]): (told: Told) => void {
  const toldOf = new Set(knownClosed);
  return ({ tenantId, slug, from, to, reason, closedLoadBalancers }) => {
    const about = { cell, tenantId, slug, from, to, reason };
    if (to === 'unhealthy')
      log.error(
        { alert: 'tenant-unhealthy', ...about, runbook: runbookPage('tenant-unhealthy') },
        'an active tenant does not answer its users',
      );
    else if (to === 'unknown') {
      for (const loadBalancerArn of new Set(closedLoadBalancers)) {
        if (toldOf.has(loadBalancerArn)) continue;
        toldOf.add(loadBalancerArn);
        const runbook = runbookPage('load-balancer-unreachable');
        log.error(
          { alert: 'load-balancer-unreachable', cell, loadBalancerArn, reason, runbook },
          'a load balancer answers nobody here: the health of its tenants is unknown',
        );
      }
    } else if (from === 'unhealthy') log.info(about, 'the tenant answers its users again');
    else if (from !== null) log.info(about, 'the health of a tenant is another one');
  };
}
