import { z } from 'zod';

const file = z.object({ name: z.string(), bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const schemaDump = z.object({
  format: z.literal('postgres-schema'),
  schema: z.string(),
  serverVersion: z.string(),
  takenAt: z.string(),
  extensions: z.array(z.string()).readonly(),
  beforeData: file,
  afterData: file,
  tables: z
    .array(file.extend({ table: z.string(), columns: z.array(z.string()).readonly(), rows: z.int().min(0) }))
    .readonly(),
  notDumped: z.array(z.object({ type: z.string(), identity: z.string() })).readonly(),
});

const rowsDump = z.object({
  format: z.literal('dynamodb-rows'),
  takenAt: z.string(),
  tables: z
    .array(
      file.extend({
        table: z.string(),
        keys: z.array(z.string()).readonly(),
        partition: z.string().nullable(),
        rows: z.int().min(0),
        checksum: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .readonly(),
  notDumped: z.array(z.object({ type: z.string(), identity: z.string() })).readonly(),
});

const about = z.object({
  manifest: z.literal('tenantry-dump'),
  installationId: z.string(),
  tenant: z.object({ tenantId: z.string(), product: z.string(), slug: z.string() }),
  operationId: z.string(),
  stepId: z.string(),
  kind: z.string(),
  cell: z.string(),
  exported: z.boolean(),
});

/**
 * The last object of a dump that is written: it names all others. Files beside it that it does not name are none of the dump's. A release
 * that knows no version 2 reads version 1, and refuses the other.
 */
export const manifestSchema = z.discriminatedUnion('version', [
  about.extend({ version: z.literal(1), contents: schemaDump }),
  about.extend({ version: z.literal(2), contents: rowsDump }),
]);
export type Manifest = z.output<typeof manifestSchema>;
