import { z } from 'zod';

const check = z.object({ ok: z.boolean(), detail: z.string() });

export const readyAnswer = z
  .object({
    ok: z.boolean(),
    draining: z.literal(true).optional().describe('The process is about to end'),
    checks: z.object({ postgresql: check, temporal: check, workers: check }),
  })
  .meta({ id: 'Readiness', description: 'Each part that is needed, and whether it is there' });

export const startAnswer = z
  .object({
    name: z.string(),
    docs: z.string().meta({ format: 'uri-reference' }),
    openapi: z.string().meta({ format: 'uri-reference' }),
  })
  .meta({ id: 'Start', description: 'Where this API is described: for people, and as OpenAPI' });

export const healthAnswer = z.object({ ok: z.literal(true) }).meta({ id: 'Health', description: 'It lives' });

const payload = z.object({
  metadata: z.record(z.string(), z.base64()).optional(),
  data: z.base64().optional(),
});

/** protojson leaves empty lists out: Temporal's CLI sends `{}` for a header without fields. */
export const payloads = z
  .object({ payloads: z.array(payload).max(10_000).default([]) })
  .meta({ id: 'Payloads', description: 'Payloads of Temporal' });
