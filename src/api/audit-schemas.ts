import { z } from 'zod';
import { auditOutcomes } from '../contracts/audit-outcome.ts';
import { roles } from '../contracts/caller.ts';
import { historyQuery } from './schemas/parameters.ts';
import { id } from './schemas/fields.ts';

const time = z.iso.datetime({ offset: true });
/** A date is its midnight, UTC, as `Date` reads it. */
const bound = z.union(
  [time, z.iso.date()],
  'must be a date, which is its midnight, UTC, or a time with its offset: 2026-01-31, 2026-01-31T00:00:00Z',
);
const outcomes =
  '`done`: somebody changed something, one entry for each request; `withdrawn`: that was answered with 503 and nothing of it stays, for no run took it; `asked`: somebody asked a run for it, which events tell the end of; `recorded`: an event of a tenant; `refused`: who asked may not';
const filter = {
  tenantId: id.optional(),
  principal: z.string().min(1).max(600).optional().describe('Who, as `caller.principal` has it'),
  type: z
    .string()
    .regex(/^[A-Za-z][A-Za-z_.-]{0,60}$/)
    .optional()
    .describe(
      'What was asked for, by the id of its operation in this description (`changeTenant`), type of an event (`operation.accepted`), or code of a refusal (`FORBIDDEN`)',
    ),
  outcome: z.enum(auditOutcomes).optional().describe(outcomes),
  requestId: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Of the request, as the header `X-Request-Id` of its answer has it'),
  address: z.string().min(1).max(100).optional().describe('Where the request came from'),
  from: bound.optional().describe('Nothing earlier; of a date its midnight, UTC'),
  to: bound.optional().describe('Nothing at or after it; of a date its midnight, UTC'),
};
export const auditQuery = z.strictObject({ ...filter, ...historyQuery.shape });
export const exportQuery = z.strictObject(filter);

export const auditEntry = z
  .object({
    id: z.string(),
    at: time,
    outcome: z.enum(auditOutcomes).describe(outcomes),
    type: z.string(),
    tenantId: z.uuid().nullable(),
    operationId: z.uuid().nullable(),
    caller: z
      .object({
        principal: z.string().optional(),
        role: z.enum(roles).optional(),
        requestId: z.string().optional(),
        address: z.string().optional(),
      })
      .nullable()
      .describe('Null: not known; of a refused credential only the request and its address are'),
    before: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('What callers choose, before the change; secrets are masked'),
    after: z.record(z.string(), z.unknown()).optional().describe('What is desired from then on'),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({
    id: 'AuditEntry',
    description: 'What somebody did to a tenant, or a request that was refused for who asked',
  });
export const auditAnswer = z.object({ entries: z.array(auditEntry), nextCursor: z.string().nullable() });
