import { randomBytes } from 'node:crypto';
import type { Clock } from '../time.ts';
import { handlerReason, setResource } from './events.ts';
import type { Properties, Stack, StackResource, Wish } from './model.ts';
import { HandlerError, type ResourceServices, type ResourceType } from './resources/type.ts';
import { resourceType } from './resources/types.ts';
import { resourceTags } from './stack-evaluation.ts';

/** One operation on a stack, as far as its resources go. */
export interface Run extends ResourceServices {
  readonly stack: Stack;
  readonly token: string | undefined;
  readonly clock: Clock;
  /** No other operation has taken its place. */
  readonly isCurrent: () => boolean;
  /** When it runs out of time, epoch ms. */
  readonly untilMs: number;
}

/** A resource, and what it is to be. */
export interface Wanted {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  readonly deletionPolicy: string;
}

export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** Makes a resource; false when it failed, which its event tells. */
export async function makeResource(run: Run, wish: Wish, wanted: Wanted): Promise<boolean> {
  const { stack, token } = run;
  const { logicalId, type, properties, deletionPolicy } = wanted;
  const resource: StackResource = {
    ...{ logicalId, type, properties, deletionPolicy, tags: wish.tags, reason: undefined },
    status: 'CREATE_IN_PROGRESS',
    updatedAt: new Date(),
  };
  stack.resources.set(logicalId, resource);
  setResource(stack, resource, 'CREATE_IN_PROGRESS', { token });
  return tried(run, resource, 'CREATE', async (handler) => {
    refuseUnknown(handler, properties);
    const made = await handler.create({
      ...{ clients: run.clients, scaling: run.scaling, properties },
      generatedName: generatedName(stack, logicalId),
      tags: resourceTags(stack, wish, logicalId),
    });
    Object.assign(resource, made);
    setResource(stack, resource, 'CREATE_IN_PROGRESS', { token, reason: 'Resource creation Initiated' });
  });
}

/** Changes a resource in place; false when it failed. */
export async function changeResource(
  run: Run,
  wish: Wish,
  resource: StackResource,
  wanted: Properties,
): Promise<boolean> {
  const { stack, token } = run;
  const { logicalId, physicalId = '', properties: before } = resource;
  setResource(stack, resource, 'UPDATE_IN_PROGRESS', { token });
  return tried(run, resource, 'UPDATE', async (handler) => {
    refuseUnknown(handler, wanted);
    const made = await handler.update({
      ...{ clients: run.clients, scaling: run.scaling, properties: wanted, before, physicalId },
      ...{ tags: resourceTags(stack, wish, logicalId), generatedName: physicalId },
    });
    Object.assign(resource, { ...made, properties: wanted, tags: wish.tags });
  });
}

/** Takes a resource away; false when it failed. */
export async function removeResource(run: Run, resource: StackResource): Promise<boolean> {
  const { stack, token } = run;
  const { logicalId, physicalId } = resource;
  const forget = () => {
    if (stack.resources.get(logicalId) === resource) stack.resources.delete(logicalId);
  };
  if (physicalId === undefined) {
    forget();
    return true;
  }
  setResource(stack, resource, 'DELETE_IN_PROGRESS', { token });
  const isGone = await tried(run, resource, 'DELETE', (handler) =>
    handler.remove({ clients: run.clients, scaling: run.scaling, physicalId }),
  );
  if (isGone) forget();
  return isGone;
}

/** How soon it is seen that another operation takes its place, in ms. */
const LOOK_EVERY_MS = 25;

/** Takes the time that a resource takes. @throws TimedOut */
async function takeTime({ clock, isCurrent, untilMs }: Run): Promise<void> {
  const doneAtMs = Math.min(Date.now() + clock.settings.stackResourceMs, untilMs);
  for (let leftMs = doneAtMs - Date.now(); leftMs > 0 && isCurrent(); leftMs = doneAtMs - Date.now())
    await clock.sleep(Math.min(LOOK_EVERY_MS, leftMs));
  if (Date.now() >= untilMs) throw new TimedOut('Resource creation cancelled');
}

async function tried(
  run: Run,
  resource: StackResource,
  what: 'CREATE' | 'UPDATE' | 'DELETE',
  act: (handler: ResourceType) => Promise<void>,
): Promise<boolean> {
  const { stack, token } = run;
  try {
    const handler = resourceType(resource.type);
    if (!handler) throw new HandlerError('NotFound', `the sandbox does not make ${resource.type}`);
    await act(handler);
    await takeTime(run);
    setResource(stack, resource, `${what}_COMPLETE`, { token });
    return true;
  } catch (error) {
    const reason = error instanceof TimedOut ? error.message : handlerReason(error);
    setResource(stack, resource, `${what}_FAILED`, { token, reason });
    return false;
  }
}

function refuseUnknown({ known }: ResourceType, properties: Properties): void {
  const extraneous = Object.keys(properties).filter((name) => !known.includes(name));
  if (extraneous.length > 0)
    throw new HandlerError(
      'InvalidRequest',
      `Model validation failed (#: extraneous key [${extraneous.join(', ')}] is not permitted)`,
    );
}

function generatedName({ name }: Stack, logicalId: string): string {
  return `${name}-${logicalId}-${randomBytes(6).toString('hex').toUpperCase()}`;
}
