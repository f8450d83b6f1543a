import { FINALIZE_STEP, type Step } from '../contracts/blueprint.ts';
import { dnsRecord } from '../kinds/dns-record/kind.ts';
import { ecsService } from '../kinds/ecs-service/kind.ts';
import { listenerNotice } from '../kinds/listener-notice/kind.ts';
import type { BlueprintRequest } from './product.ts';

/** The step that a tenant has while it is suspended. */
export const NOTICE_STEP = 'show_notice';
const MESSAGE = 'This site is suspended. Please contact your provider.';

/**
 * A suspended tenant keeps all that it has, with no task of any service (requirement U-37). Where it has a host on a load balancer a
 * notice answers there, before the first task ends; it goes after the host's record.
 */
export function stepsInMode(request: BlueprintRequest, steps: readonly Step[]): readonly Step[] {
  if (request.mode !== 'suspended') return steps;
  const notice = noticeOf(request, steps);
  const behindNotice = (step: Step) => (notice ? { ...step, needs: [...step.needs, NOTICE_STEP] } : step);
  const resting = steps.map((step) => {
    if (step.kind === ecsService.name) return behindNotice({ ...step, spec: { ...step.spec, desiredCount: 0 } });
    return step.id === FINALIZE_STEP ? behindNotice(step) : step;
  });
  return notice ? [notice, ...resting] : resting;
}

function noticeOf({ host, loadBalancer }: BlueprintRequest, steps: readonly Step[]): Step | undefined {
  if (host === undefined || !loadBalancer) return undefined;
  return {
    id: NOTICE_STEP,
    kind: listenerNotice.name,
    needs: [],
    rereads: true,
    removeAfter: steps.filter(({ kind }) => kind === dnsRecord.name).map(({ id }) => id),
    spec: { loadBalancerArn: loadBalancer.arn, host, message: MESSAGE },
  };
}
