import { readFileSync } from 'node:fs';
import type { CellAws } from '../aws/cell-aws.ts';
import { isAwsError } from '../aws/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Cell } from '../contracts/platform.ts';
import { accountPlatformOf, type AccountPlatform } from '../products/accounts/platform.ts';
import { accountStack } from '../products/accounts/stack.ts';
import { missingParameters } from '../products/cell-parameters.ts';
import { isServed } from '../products/places.ts';
import { accountTemplateProblems } from './account-template.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';
import { tableKey, tableShapeProblems } from './table-shape.ts';

const INDEXES = ['GSI1', 'GSI2', 'GSI3'];
const PACKAGED = new URL('../../templates/private-account-dynamodb.yaml', import.meta.url);

export interface AccountParts {
  readonly cell: Cell;
  readonly catalog: Pick<Catalog, 'products'>;
  readonly aws: {
    readonly tables: Pick<CellAws['tables'], 'look' | 'findTimeToLive'>;
    readonly objects: Pick<CellAws['objects'], 'readText'>;
  };
}

/** What accounts rest on, where the cell serves them: the shared table, and the template of private ones (R-SSM-05, R-SSM-06). */
export async function checkAccounts({ cell, catalog, aws }: AccountParts): Promise<Finding[]> {
  const product = Object.hasOwn(catalog.products, 'accounts') ? catalog.products['accounts'] : undefined;
  // Parameters that are missing are told of the product.
  if (!product || !isServed(cell, product) || missingParameters(cell, product).length > 0) return [];
  const subject = `cell ${cell.id}: accounts`;
  return look(subject, async () => {
    const platform = accountPlatformOf(cell);
    const found = await Promise.all([
      checkSharedTable(cell, platform, aws.tables),
      checkTemplate(cell, platform, aws.objects),
    ]);
    return found.flat();
  });
}

function checkSharedTable(
  { id, region }: Cell,
  { sharedTable }: AccountPlatform,
  tables: AccountParts['aws']['tables'],
): Promise<Finding[]> {
  const subject = `cell ${id}: shared table of accounts ${sharedTable}`;
  return look(subject, async () => {
    const seen = await tables.look(sharedTable);
    if (!seen)
      return problem(subject, `does not exist in region ${region}: create it with key ${tableKey} (docs/accounts.md)`);
    const problems = tableShapeProblems(seen, INDEXES).map((said) => problem(subject, said));
    const expiry = await checkExpiry(subject, sharedTable, tables);
    return problems.length + expiry.length > 0
      ? [...problems, ...expiry]
      : [ok(subject, 'has its keys, indexes and stream, and no TTL')];
  });
}

/** A row that expires while an account is moved keeps the move from its end (docs/accounts.md). */
async function checkExpiry(subject: string, table: string, tables: AccountParts['aws']['tables']): Promise<Finding[]> {
  try {
    const attribute = await tables.findTimeToLive(table);
    if (attribute === undefined) return [];
    return [
      warning(
        subject,
        `has TTL by attribute ${attribute}: a row that expires while its account is moved leaves the move stuck, and the own table has no TTL. Switch it off while accounts are moved (docs/accounts.md)`,
      ),
    ];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [warning(subject, `whether rows expire by TTL is not known: ${why}`)];
  }
}

function checkTemplate(
  { id }: Cell,
  platform: AccountPlatform,
  objects: AccountParts['aws']['objects'],
): Promise<Finding[]> {
  const { templateBucket: bucket, templateKey: key, templateVersion } = platform;
  const version = templateVersion === undefined ? '' : ` (version ${templateVersion})`;
  const subject = `cell ${id}: template of private accounts s3://${bucket}/${key}${version}`;
  return look(subject, async () => {
    const found = await readTemplate(objects, { bucket, key }, templateVersion);
    if (found === undefined)
      return problem(
        subject,
        'does not exist: upload templates/private-account-dynamodb.yaml of this version of Tenantry',
      );
    const problems = accountTemplateProblems(found, givenParameters(platform));
    if (problems.length > 0)
      return problem(
        subject,
        `makes no private account: it ${problems.join('; it ')}. Upload templates/private-account-dynamodb.yaml of this version of Tenantry`,
      );
    return plain(found) === plain(readFileSync(PACKAGED, 'utf8'))
      ? ok(subject, 'is the one of this version of Tenantry')
      : warning(
          subject,
          'differs from templates/private-account-dynamodb.yaml of this version of Tenantry: see what it lacks',
        );
  });
}

function givenParameters(platform: AccountPlatform): string[] {
  return Object.keys(accountStack(platform, { accountId: '', name: '', publishesParameters: true }).parameters);
}

/** Undefined: there is no such bucket, object or version. */
async function readTemplate(
  objects: AccountParts['aws']['objects'],
  place: { readonly bucket: string; readonly key: string },
  version: string | undefined,
): Promise<string | undefined> {
  try {
    return await objects.readText(place, version);
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey', 'NoSuchBucket', 'NoSuchVersion')) return undefined;
    throw error;
  }
}

function plain(template: string): string {
  return template.replaceAll('\r\n', '\n').trim();
}
