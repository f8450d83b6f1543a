import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { OperationResult } from '../../src/contracts/messages.ts';
import type { Handle } from './environment.ts';

/** How a workflow closed: Temporal's status, and what it answered or failed with. */
export interface Ending {
  readonly status: string;
  readonly outcome?: OperationResult['outcome'] | undefined;
  readonly type?: string | null | undefined;
  readonly message?: string | undefined;
  readonly details?: unknown;
}

/** Waits for the end; while it does, time skips. */
export async function endingOf(handle: Handle): Promise<Ending> {
  const ending = await resultOf(handle);
  return { status: (await handle.describe()).status.name, ...ending };
}

async function resultOf(handle: Handle): Promise<Omit<Ending, 'status'>> {
  try {
    return { outcome: (await handle.result()).outcome };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof ApplicationFailure)
      return { type: cause.type, message: cause.message, details: cause.details?.[0] };
    if (cause instanceof CancelledFailure) return {};
    throw error;
  }
}

/** Types of the events of a workflow's history, without their prefix. */
export async function eventsOf(handle: Pick<Handle, 'fetchHistory'>): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).map(
    (e) => proto.temporal.api.enums.v1.EventType[e.eventType ?? 0]?.replace('EVENT_TYPE_', '') ?? '',
  );
}

/** How long a closed workflow was open, by the server's time, in ms. */
export async function durationOf(handle: Handle): Promise<number> {
  const { startTime, closeTime } = await handle.describe();
  if (!closeTime) throw new Error('the workflow is open');
  return closeTime.getTime() - startTime.getTime();
}

/** Whether an Update was refused with this type. */
export function isRefusal(type: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof WorkflowUpdateFailedError &&
    error.cause instanceof ApplicationFailure &&
    error.cause.type === type;
}

/** Asks again until it holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
