import type { Probe, ProbeRequest } from '../aws/probe.ts';

/** How long what was seen of a load balancer is believed, in ms. */
const BELIEVED_MS = 5_000;

/** Tells a tenant that does not answer from a way on which nobody could: the worker's network, its DNS, the load balancer. */
export interface Way {
  /** Whether the tenant's load balancer answers anybody; asks it. */
  isOpen(request: ProbeRequest): Promise<boolean>;
  /** Whether it was found a moment ago that it does not; asks nobody. */
  isKnownClosed(loadBalancerArn: string): boolean;
}

export function createWay(probe: Probe, now = () => performance.now()): Way {
  const seen = new Map<string, { readonly untilMs: number; readonly isOpen: Promise<boolean>; isClosed: boolean }>();
  return {
    isOpen: (request) => {
      const known = seen.get(request.loadBalancerArn);
      if (known && now() < known.untilMs) return known.isOpen;
      const entry = {
        untilMs: Infinity,
        isClosed: false,
        isOpen: answersAnybody(probe, request).then((isOpen) => {
          entry.isClosed = !isOpen;
          entry.untilMs = now() + BELIEVED_MS;
          return isOpen;
        }),
      };
      seen.set(request.loadBalancerArn, entry);
      return entry.isOpen;
    },
    isKnownClosed: (loadBalancerArn) => {
      const known = seen.get(loadBalancerArn);
      return known !== undefined && known.isClosed && now() < known.untilMs;
    },
  };
}

/** Asks for a host beside the tenant's that nobody has: whatever answers, a refused certificate too, is the load balancer. */
async function answersAnybody(probe: Probe, { loadBalancerArn, host }: ProbeRequest): Promise<boolean> {
  const nobody = host.replace(/^[^.]+/, 'tenantry-health');
  const answer = await probe.ask({ loadBalancerArn, host: nobody, path: '/' });
  return 'status' in answer || answer.isCertificateInvalid === true;
}
