import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Cell, Platform } from './contracts/platform.ts';
import {
  awsArn as arn,
  awsRegion,
  dnsLabel as label,
  domain,
  dynamodbTableName,
  ssmParameterName,
  emailAddress,
  plainZoneId,
} from './formats.ts';

const nonEmpty = z.string().min(1);

const loadBalancer = z.strictObject({
  arn: arn('elasticloadbalancing'),
  dnsName: nonEmpty,
  canonicalHostedZoneId: nonEmpty,
  ipAddressType: z.enum(['ipv4', 'dualstack']).default('ipv4'),
  httpsListenerArn: arn('elasticloadbalancing'),
  certificateArn: nonEmpty,
  allowedRuleArns: z.array(arn('elasticloadbalancing')).optional(),
  connect: z.strictObject({ host: nonEmpty, port: z.int().min(1).max(65535), ca: nonEmpty.optional() }).optional(),
});

const names = z.array(nonEmpty).optional();
const sharedWithTemplate = z.strictObject({
  volumes: names,
  secrets: names,
  environmentFiles: names,
  environment: names,
});

const cell = z
  .strictObject({
    id: label.default('default'),
    environment: label,
    accountId: z.string().regex(/^\d{12}$/, 'must be a 12-digit account number'),
    region: awsRegion,
    roleArn: arn('iam').optional(),
    vpcId: nonEmpty,
    subnetIds: z.array(nonEmpty).min(1),
    securityGroupIds: z.array(nonEmpty).min(1),
    cluster: nonEmpty,
    allowedRoleArns: z.array(arn('iam')),
    allowedImageRepositories: z.array(nonEmpty),
    templateServices: z.record(label, z.record(label, nonEmpty)),
    sharedWithTemplate: z.record(label, sharedWithTemplate).optional(),
    loadBalancers: z.array(loadBalancer).min(1),
    hostedZone: z.strictObject({
      id: nonEmpty.transform(plainZoneId).pipe(nonEmpty),
      name: domain,
      drainSeconds: z.int().min(0).max(86_400).default(60),
    }),
    acceptsTenants: z.boolean().optional(),
    domains: z.record(label, domain),
    products: z.array(label).optional(),
    tenantDatabases: z
      .array(z.strictObject({ id: label, host: nonEmpty, port: z.int().min(1).max(65535), name: nonEmpty }))
      .min(1),
    projection: z.strictObject({ table: dynamodbTableName }).optional(),
    sharedTables: z.array(dynamodbTableName).optional(),
    ssmParameters: z.record(ssmParameterName, z.string().min(1).max(4096)).optional(),
    archive: z
      .strictObject({
        bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of an S3 bucket'),
        prefix: z
          .string()
          .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*\/$/, 'must be a path that ends with a slash')
          .max(256)
          .optional(),
        retentionDays: z.int().min(1).max(3650).default(30),
        kmsKeyArn: arn('kms').optional(),
      })
      .optional(),
    logRetentionDays: z.int().positive().default(30),
    mailFrom: emailAddress,
    mailReplyTo: emailAddress.optional(),
    mailLocale: z.enum(['en', 'ar']).default('en'),
    usualMs: z.record(z.string().regex(/^[a-z-]+\.(ready|gone)$/), z.int().min(0)).optional(),
  })
  .refine(({ projection, sharedTables = [] }) => !sharedTables.includes(projection?.table ?? ''), {
    path: ['sharedTables'],
    message: 'must not hold the table of the projection, which is written anew as a whole',
  });

/** Shape of the `PLATFORM_CONFIG` file, version 1. */
export const platformSchema = z.strictObject({ version: z.literal(1), cells: z.array(cell).min(1) });

/** Raised when the platform file cannot be used; lists every problem with its path. */
export class PlatformConfigError extends Error {
  override readonly name = 'PlatformConfigError';
  readonly problems: readonly string[];
  constructor(file: string, problems: readonly string[], cause?: unknown) {
    super(`PLATFORM_CONFIG ${file} cannot be used:\n${problems.map((p) => `  - ${p}`).join('\n')}`, { cause });
    this.problems = problems;
  }
}

/** Reads and checks the platform file. @throws PlatformConfigError with all problems together. */
export function readPlatform(file: string): Platform {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new PlatformConfigError(file, [cause instanceof Error ? cause.message : String(cause)], cause);
  }
  return parsePlatform(raw, file);
}

/** Checks a platform description. @throws PlatformConfigError with all problems together. */
export function parsePlatform(raw: unknown, file = '(given)'): Platform {
  const parsed = platformSchema.safeParse(raw);
  if (!parsed.success) {
    throw new PlatformConfigError(
      file,
      parsed.error.issues.map((i) => `${i.path.join('.') || '(root)'}: ${i.message}`),
    );
  }
  const ids = parsed.data.cells.map((c) => c.id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (twice.length > 0) throw new PlatformConfigError(file, [`cells: id ${twice.join(', ')} is given twice`]);
  return parsed.data;
}

/** The cell with this id. @throws RangeError when the platform has none. */
export function cellById(platform: Platform, id: string): Cell {
  const found = platform.cells.find((c) => c.id === id);
  if (!found)
    throw new RangeError(`no cell "${id}" in the platform (has: ${platform.cells.map((c) => c.id).join(', ')})`);
  return found;
}
