import { z } from 'zod';
import { roles } from '../../contracts/caller.ts';
import { isolationStates } from '../../contracts/isolation.ts';
import { closedOperationStates, openOperationStates } from '../../contracts/operation-state.ts';
import { leftoverConditions } from '../../contracts/messages.ts';
import { operationTypes } from '../../contracts/operation-table.ts';
import { tenantStatuses } from '../../contracts/tenant-status.ts';
import { time } from './fields.ts';

export const operationState = z.enum([...openOperationStates, ...closedOperationStates]).meta({ id: 'OperationState' });

export const tenantStatus = z.enum(tenantStatuses).meta({ id: 'TenantStatus' });

export const operationType = z.enum(operationTypes).meta({ id: 'OperationType' });

export const failure = z
  .object({
    code: z.string(),
    message: z.string(),
    stepId: z.string().optional(),
    detail: z.string().optional(),
  })
  .meta({ id: 'Failure', description: 'What failed for good' });

/** Optional: an API of an earlier release does not give it. */
export const caller = z
  .object({
    principal: z
      .string()
      .describe("`platform`: one of the platform's people, who are not named to callers of single tenants"),
    role: z.enum(roles),
    requestId: z.string().optional().describe("Absent where the platform's people are not named"),
    address: z.string().optional(),
  })
  .meta({ id: 'Caller', description: 'Who asked, and in which request' })
  .nullable()
  .describe('Null: not known')
  .optional();

export const leftover = z
  .object({
    stepId: z.string(),
    type: z.string(),
    name: z.string(),
    physicalId: z.string().optional(),
    code: z.string().optional(),
    reason: z.string(),
    condition: z
      .enum(leftoverConditions)
      .optional()
      .describe(
        '`left`: it is there and is not to be; `missing`: data that the tenant is to have is gone; `changed`: it was not brought to what was applied; `not-looked-at`: its turn to be brought back did not come',
      ),
  })
  .meta({ id: 'Leftover', description: 'Something that is left, missing or not as it was applied, and why' });

export const advice = z
  .object({ code: z.string(), text: z.string(), runbook: z.string() })
  .meta({ id: 'Advice', description: 'What the code asks of an operator, and its page of the runbook' });

export const attention = z
  .object({
    since: time,
    until: time.optional(),
    otherwise: z.string(),
    advice: z.array(advice),
    choices: z.array(
      z.object({
        verb: z.enum(['retry', 'cancel', 'repair', 'abandon', 'delete']),
        command: z.string(),
        effect: z.string(),
      }),
    ),
  })
  .meta({
    id: 'Attention',
    description: 'It waits for a person: since when, until when, what happens otherwise, and what can be done',
  });

/** Optional: an API of an earlier release does not give it. */
export const isolation = z
  .object({
    state: z
      .enum(isolationStates)
      .describe('`failed`: the last attempt was refused, and is tried again; `lastError` says why'),
    wanted: z.boolean().describe('False: the notice is to go'),
    since: time.describe('When what is wanted now was asked for'),
    reason: z.string(),
    caller,
    lastError: failure.nullable(),
  })
  .meta({ id: 'Isolation', description: 'Whether a notice answers in the place of the tenant' })
  .nullable()
  .describe('Null: the tenant is not isolated')
  .optional();
