import { randomUUID } from 'node:crypto';
import type { ResourceStatus, Stack, StackResource, StackStatus } from './model.ts';

export const STACK_TYPE = 'AWS::CloudFormation::Stack';

interface Told {
  readonly token: string | undefined;
  readonly reason?: string | undefined;
}

/** The stack's next state, with its event. */
export function setStack(stack: Stack, status: StackStatus, { token, reason }: Told): void {
  stack.status = status;
  stack.reason = reason;
  const { id, name } = stack;
  addEvent(stack, { logicalId: name, physicalId: id, type: STACK_TYPE, status, reason, token });
}

/** A resource's next state, with its event. */
export function setResource(
  stack: Stack,
  resource: StackResource,
  status: ResourceStatus,
  { token, reason }: Told,
): void {
  resource.status = status;
  resource.reason = reason;
  resource.updatedAt = new Date();
  const { logicalId, physicalId, type } = resource;
  addEvent(stack, { logicalId, physicalId, type, status, reason, token });
}

function addEvent(stack: Stack, event: Omit<Stack['events'][number], 'id' | 'at'>): void {
  stack.events.unshift({ id: `${event.logicalId}-${randomUUID()}`, at: new Date(), ...event });
}

/** AWS's words for resources that ended badly. */
export function failedResources(what: 'create' | 'update' | 'delete', ids: readonly string[]): string {
  return `The following resource(s) failed to ${what}: [${ids.join(', ')}]. `;
}

/** The reason of a resource's failure, as its handler tells it. */
export function handlerReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'InvalidRequest';
  return `Resource handler returned message: "${message}" (RequestToken: ${randomUUID()}, HandlerErrorCode: ${code})`;
}
