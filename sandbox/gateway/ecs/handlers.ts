import type { Handler } from '../pipeline.ts';
import { createDeploymentHandlers } from './deployment-handlers.ts';
import { createRevisionHandlers } from './revision-handlers.ts';
import { createServiceHandlers, type ServiceParts } from './service-handlers.ts';
import { createTaskHandlers, type TaskParts } from './task-handlers.ts';

/** ECS calls that the gateway owns or corrects. */
export function createEcsHandlers(parts: ServiceParts & TaskParts): Record<string, Handler> {
  return {
    ...createRevisionHandlers(parts),
    ...createServiceHandlers(parts),
    ...createDeploymentHandlers(parts.services),
    ...createTaskHandlers(parts),
  };
}
