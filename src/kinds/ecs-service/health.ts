import { z } from 'zod';
import type { KindHealth } from '../framework/kind.ts';
import { serviceSpec, type ServiceOutputs, type ServiceSpec } from './spec.ts';
import { targetsProbe } from './verdict.ts';

const { desiredCount, probe, serviceName } = serviceSpec.shape;
const asked = z.object({ desiredCount, probe });
const named = z.object({ serviceName, targetGroupArn: z.string().optional() });

/** A service is asked what its readiness was: the tenant's host, through its load balancer. */
export const serviceHealth: KindHealth<ServiceSpec, ServiceOutputs> = {
  probe({ spec }) {
    const { data } = asked.safeParse(spec);
    return data && data.desiredCount > 0 ? data.probe : undefined;
  },

  async explain({ spec }, aws) {
    const { data } = named.safeParse(spec);
    if (!data) return undefined;
    const service = await aws.ecs.findService(data.serviceName);
    if (!service || service.status === 'INACTIVE') return `there is no ECS service ${data.serviceName}`;
    const tasks = `${service.runningCount} of ${service.desiredCount} tasks run`;
    if (data.targetGroupArn === undefined) return tasks;
    const { detail } = targetsProbe(await aws.loadBalancing.findTargetHealth(data.targetGroupArn));
    return `${tasks}, targets: ${detail}`;
  },
};
