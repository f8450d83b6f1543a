import { z } from 'zod';
import { eventTypes } from '../../contracts/events.ts';
import { time } from './fields.ts';
import { operationState, operationType, failure, caller, leftover, advice } from './vocabulary.ts';
import { deletesAt } from './tenants.ts';

export const operationAnswer = z
  .object({
    operationId: z.uuid(),
    tenantId: z.uuid(),
    type: operationType,
    state: operationState,
    onFailure: z.enum(['hold', 'rollback']),
    workflowId: z.string(),
    runId: z.string().nullable(),
    generation: z.int(),
    failure: failure.optional(),
    leftovers: z.array(leftover).optional(),
    cancelRequestedAt: time.nullable(),
    caller,
    deletesAt,
    traceId: z
      .string()
      .nullable()
      // An API of an earlier release says nothing of it.
      .optional()
      .describe('Trace of OpenTelemetry that it is part of, in hex; null: who accepted it recorded none'),
    acceptedAt: time,
    claimedAt: time.nullable(),
    closedAt: time.nullable(),
    updatedAt: time,
  })
  .meta({ id: 'Operation', description: 'The operation' });

export const operationsAnswer = z
  .object({ operations: z.array(operationAnswer) })
  .meta({ id: 'OperationList', description: 'The operations' });

export const eventAnswer = z
  .object({
    id: z.int(),
    at: time,
    type: z.enum(eventTypes),
    tenantId: z.uuid(),
    operationId: z.uuid().nullable(),
    stepId: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    caller,
    advice: advice.optional(),
  })
  .meta({ id: 'Event', description: 'Something that happened to a tenant' });

export const eventsAnswer = z
  .object({
    events: z.array(eventAnswer),
    nextAfter: z.int().describe('Give it as `after` to read on'),
  })
  .meta({ id: 'EventPage', description: 'A page of events' });
