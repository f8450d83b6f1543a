import { z } from 'zod';
import { roles } from '../../contracts/caller.ts';
import { time } from './fields.ts';
import { operationType } from './vocabulary.ts';

const certifiedResource = z.object({
  stepId: z.string(),
  type: z.string(),
  name: z.string(),
  physicalId: z.string().nullable(),
  madeAt: time
    .nullable()
    .describe(
      'When it was made. What is changed in its place keeps it, what was gone and made anew has the later time; null: it never was for sure',
    ),
  absentAt: time.describe('When it was seen absent'),
});

const certifiedRows = z.object({
  stepId: z.string(),
  table: z.string(),
  partition: z.string(),
  rows: z
    .int()
    .nullable()
    .describe('Null: they were not counted, by an earlier release, or because the table was gone before them'),
  isExact: z.boolean().describe('False: an attempt was interrupted, so that there were more than `rows`, perhaps'),
  absentAt: time.describe('When the last of them was seen absent'),
});

const residue = z.object({
  stepId: z.string(),
  type: z.string(),
  name: z.string(),
  reason: z.string(),
  expiresAt: time.nullable().describe('Null: AWS names none'),
});

const certifiedDump = z.union([
  z.object({
    stepId: z.string(),
    kind: z.string(),
    kept: z.literal(true),
    bucket: z.string(),
    manifest: z.string().describe('Key of the object that names all others of the dump'),
    manifestSha256: z.string(),
    exported: z.boolean(),
    bytes: z.number(),
    tables: z.number(),
    rows: z.number(),
    keptAt: time,
    expiresAt: time.nullable(),
  }),
  z.object({ stepId: z.string(), kind: z.string(), kept: z.literal(false), why: z.string() }),
]);

export const certificateAnswer = z
  .object({
    certificate: z.object({
      certificate: z.literal('tenantry-deletion'),
      version: z.literal(1),
      installationId: z.uuid(),
      tenant: z.object({
        tenantId: z.uuid(),
        product: z.string(),
        tier: z.string().nullable(),
        slug: z.string(),
        cell: z.string(),
        createdAt: time,
        activatedAt: time.nullable(),
        deletedAt: time,
      }),
      operation: z.object({
        operationId: z.uuid(),
        type: operationType,
        askedBy: z
          .object({ principal: z.string(), role: z.enum(roles), requestId: z.string().optional() })
          .nullable()
          .describe('Null: not known'),
        askedAt: time,
        closedAt: time,
      }),
      resources: z.array(certifiedResource),
      deletedRows: z
        .array(certifiedRows)
        .optional()
        .describe('Rows of services that were deleted one by one. Absent: certified by a release that listed none'),
      residues: z.array(residue).describe('What stays for a while though it was removed'),
      finalDump: z
        .object({ kept: z.boolean(), why: z.string().nullable() })
        .optional()
        .describe('Absent: certified by a release that kept none'),
      finalDumps: z.array(certifiedDump).optional().describe('Of each step that held data'),
      tombstone: z.object({
        slugReservedUntil: time
          .nullable()
          .describe('Until when nobody can create a tenant of this slug; null: it was free at once'),
      }),
    }),
    jws: z
      .object({ payload: z.string(), protected: z.string(), signature: z.string() })
      .describe('JWS in flattened JSON (RFC 7515): ES256, `kid` names one of `/api/v1/keys`'),
  })
  .meta({ id: 'Certificate', description: 'What was certified of the deletion, signed' });

export const keysAnswer = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) })
  .meta({ id: 'Keys', description: 'JWK set (RFC 7517)' });
