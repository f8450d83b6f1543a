import { z } from 'zod';
import { openOperationStates, closedOperationStates } from '../contracts/operation-state.ts';
import { operationTypes } from '../contracts/operation-table.ts';
import { tenantStatuses } from '../contracts/tenant-status.ts';
import { roles, type Caller, type StoredCaller } from '../contracts/caller.ts';
import { finalDumps } from '../contracts/final-dump.ts';
import type { Failure } from '../contracts/errors.ts';
import { leftoverConditions, type Leftover, type Residue } from '../contracts/messages.ts';

/** Column types that several tables share. */
export const uuid = z.uuid();
export const time = z.date();
export const optionalTime = z.date().nullable();
/** `bigint`, which the driver hands over as a string. */
export const bigint = z.coerce.number().int();
export const tenantStatus = z.enum(tenantStatuses);
export const operationState = z.enum([...openOperationStates, ...closedOperationStates]);
export const operationType = z.enum(operationTypes);

export const finalDump = z.enum(finalDumps);

export const failure: z.ZodType<Failure> = z.object({
  code: z.string(),
  message: z.string(),
  stepId: z.string().optional(),
  detail: z.string().optional(),
});

export const caller: z.ZodType<StoredCaller> = z.object({
  principal: z.string(),
  role: z.enum(roles),
  requestId: z.string(),
  address: z.string().optional(),
});

export const leftovers: z.ZodType<Leftover[]> = z.array(
  z.object({
    stepId: z.string(),
    type: z.string(),
    name: z.string(),
    physicalId: z.string().optional(),
    code: z.string().optional(),
    reason: z.string(),
    condition: z.enum(leftoverConditions).optional(),
  }),
);

export const residues: z.ZodType<Residue[]> = z.array(
  z.object({ type: z.string(), name: z.string(), reason: z.string(), expiresAt: z.string().nullable() }),
);

/** A value for a jsonb column: `pg` would send arrays as PostgreSQL arrays. */
export function json(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** A caller for a jsonb column: what it may reach is left out, for that is of the one request. */
export function callerJson(given: Caller | null | undefined): string | null {
  if (!given) return null;
  const { principal, role, requestId, address } = given;
  return json({ principal, role, requestId, address } satisfies StoredCaller);
}
