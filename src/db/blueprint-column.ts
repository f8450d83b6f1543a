import { z } from 'zod';
import type { AnyStep, Blueprint } from '../contracts/blueprint.ts';
import type { KindName, SpecOf } from '../contracts/kinds.ts';

const text = z.string().min(1);
const ref = z.strictObject({ ref: z.string().regex(/^.+\.[A-Za-z]+$/, 'must name a step and an output of it') });
const textValue = z.union([z.string(), ref]);
const numberValue = z.union([z.number(), ref]);
const anyValue = z.union([z.string(), z.number(), ref]);

/** The shape of each kind's spec, as it is stored: references are not resolved yet. */
const specs = {
  'slug-reservation': z.strictObject({ slug: text, templateServices: z.array(text) }),
  'postgres-schema': z.strictObject({
    database: text,
    // Names a folder of SQL files: nothing that leads out of it.
    migrations: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
    connectionLimit: z.int().min(1).max(1000),
  }),
  'log-group': z.strictObject({ name: text, retentionDays: z.int().positive() }),
  'task-definition': z.strictObject({
    family: text,
    templateService: text,
    environment: z.record(z.string(), anyValue),
    secrets: z.record(z.string(), textValue),
    logGroup: textValue,
  }),
  'target-group': z.strictObject({
    component: z.enum(['backend', 'frontend']),
    port: z.int().min(1).max(65535),
    healthPath: z.string().startsWith('/'),
  }),
  'listener-rule': z.strictObject({
    loadBalancerArn: text,
    host: text,
    paths: z.array(z.string().startsWith('/')),
    targetGroupArn: textValue,
  }),
  'dns-record': z.strictObject({ zoneId: text, host: text, loadBalancerArn: text }),
  'ecs-service': z.strictObject({
    serviceName: text,
    taskDefinitionArn: textValue,
    targetGroupArn: textValue,
    containerName: textValue,
    containerPort: numberValue,
    desiredCount: z.int().min(0),
    healthCheckGraceSeconds: z.int().min(0),
    probe: z.strictObject({ loadBalancerArn: text, host: text, path: z.string().startsWith('/') }),
  }),
  'tenant-activation': z.strictObject({ tenantUrl: text }),
} satisfies { [K in KindName]: z.ZodType<SpecOf<K>> };

const profile = z.strictObject({ usualMs: z.number().min(0), deadlineMs: z.number().positive() });

const stepOf = <K extends KindName>(kind: K) =>
  z.strictObject({
    id: z.string().min(1).max(100),
    kind: z.literal(kind),
    needs: z.array(z.string()),
    removeAfter: z.array(z.string()).optional(),
    spec: specs[kind],
    ready: profile.optional(),
    gone: profile.optional(),
    failsAs: z.strictObject({ type: text, message: text }).optional(),
    rereads: z.boolean().optional(),
  });

const step: z.ZodType<AnyStep> = z.discriminatedUnion('kind', [
  stepOf('slug-reservation'),
  stepOf('postgres-schema'),
  stepOf('log-group'),
  stepOf('task-definition'),
  stepOf('target-group'),
  stepOf('listener-rule'),
  stepOf('dns-record'),
  stepOf('ecs-service'),
  stepOf('tenant-activation'),
]);

/** The shape of a blueprint, from whatever a jsonb column or a request held; its graph is checked by `blueprintProblems`. */
export const blueprintSchema: z.ZodType<Blueprint> = z.strictObject({
  version: z.literal(1),
  product: text,
  tier: z.string().nullable(),
  cell: text,
  steps: z.array(step),
});
