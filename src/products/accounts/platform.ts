import { z } from 'zod';
import type { Cell } from '../../contracts/platform.ts';
import { defaultLeaseSeconds, leaseBounds, leaseParameterName } from '../../accounts-router/fence.ts';
import { LONGEST_HOLD_S } from '../../kinds/dynamodb-rows/spec.ts';
import { dynamodbTableName } from '../../formats.ts';

/** What the product reads of its cell, by the parameters' names in SSM (requirements R-SSM-05, R-SSM-06). */
export const parameterNames = {
  sharedTable: '/platform/dynamodb/shared-table-name',
  sharedTableArn: '/platform/dynamodb/shared-table-arn',
  billingMode: '/platform/dynamodb/default-billing-mode',
  templateBucket: '/platform/cloudformation/template-bucket',
  templateKey: '/platform/cloudformation/private-account-template-key',
} as const;

/** Those that a cell may do without. */
export const optionalNames = {
  sharedStreamArn: '/platform/dynamodb/shared-table-stream-arn',
  leaseSeconds: leaseParameterName,
  /** Of private accounts' tables (requirement U-29); without it the key that AWS manages. */
  privateTableKey: '/platform/dynamodb/private-table-kms-key-arn',
  /** Of a bucket with versions; without it the latest one counts. */
  templateVersion: '/platform/cloudformation/private-account-template-version',
  /** How long the rows of an account stay in the shared table that was moved to a table of its own. */
  holdSeconds: '/platform/accounts/moved-rows-hold-seconds',
  appName: '/platform/accounts/app-name',
  environment: '/platform/accounts/environment',
} as const;

/** As the template takes them: parts of the names of stacks and tables (requirement R-CFN-05). */
const namePart = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be 1 to 32 letters, digits and hyphens, a letter first');

export const DEFAULT_HOLD_SECONDS = 900;
const seconds = (most: number) =>
  z
    .string()
    .regex(/^[1-9]\d*$/, 'must be a whole number of seconds')
    .transform(Number)
    .refine((count) => count <= most, `must be at most ${most}`);

const accountPlatform = z.object({
  sharedTable: dynamodbTableName,
  sharedTableArn: z.string(),
  sharedStreamArn: z.string().optional(),
  billingMode: z.enum(['PAY_PER_REQUEST', 'PROVISIONED']),
  templateBucket: z.string(),
  templateKey: z.string(),
  templateVersion: z.string().optional(),
  privateTableKey: z
    .string()
    .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-zA-Z-]+$/, 'must be the ARN of one key (no alias)')
    .optional(),
  leaseSeconds: seconds(leaseBounds.mostSeconds).default(defaultLeaseSeconds),
  holdSeconds: seconds(LONGEST_HOLD_S).default(DEFAULT_HOLD_SECONDS),
  appName: namePart.default('app'),
  environment: namePart.default('prod'),
});

/** Where the accounts of a cell live, and what a private one is made of. */
export type AccountPlatform = z.output<typeof accountPlatform>;

/** The cell's parameters do not go together, or with the rest of its description. */
export class AccountPlatformError extends Error {
  override readonly name = 'AccountPlatformError';
}

/** What a cell gives for accounts. @throws AccountPlatformError naming every parameter that cannot be used */
export function accountPlatformOf(cell: Cell): AccountPlatform {
  const names = { ...parameterNames, ...optionalNames };
  const given = Object.entries(names).map(([field, name]) => [field, cell.ssmParameters?.[name]] as const);
  const { data, error } = accountPlatform.safeParse(Object.fromEntries(given));
  const problems = error
    ? error.issues.map(({ path, message }) => `${nameOf(names, String(path[0]))} ${message}`)
    : placeProblems(cell, data);
  if (data && problems.length === 0) return data;
  throw new AccountPlatformError(`cell "${cell.id}": ssmParameters: ${problems.join('; ')}`);
}

function nameOf(names: Readonly<Record<string, string>>, field: string): string {
  return names[field] ?? field;
}

function placeProblems(
  cell: Cell,
  { privateTableKey, sharedStreamArn, sharedTable, sharedTableArn }: AccountPlatform,
): string[] {
  const arn = new RegExp(
    `^arn:aws[a-z-]*:dynamodb:${cell.region}:${cell.accountId}:table/${sharedTable.replaceAll('.', '\\.')}$`,
  );
  const isListed = cell.sharedTables?.includes(sharedTable) === true;
  return [
    ...(isListed ? [] : [`${parameterNames.sharedTable} is ${sharedTable}, which \`sharedTables\` does not list`]),
    ...(arn.test(sharedTableArn)
      ? []
      : [`${parameterNames.sharedTableArn} is not the ARN of ${sharedTable} in this cell`]),
    ...(sharedStreamArn === undefined || sharedStreamArn.startsWith(`${sharedTableArn}/stream/`)
      ? []
      : [`${optionalNames.sharedStreamArn} is not the ARN of a stream of ${sharedTable}`]),
    ...(privateTableKey === undefined || privateTableKey.includes(`:kms:${cell.region}:${cell.accountId}:`)
      ? []
      : [`${optionalNames.privateTableKey} is not the ARN of a key in this cell`]),
  ];
}
