import { readFileSync } from 'node:fs';
import type { CellAws } from '../aws/cell-aws.ts';
import { isAwsError } from '../aws/errors.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Cell } from '../contracts/platform.ts';
import { accountPlatformOf, type AccountPlatform } from '../products/accounts/platform.ts';
import { missingParameters } from '../products/cell-parameters.ts';
import { isServed } from '../products/places.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';
import { tableKey, tableShapeProblems } from './table-shape.ts';

const INDEXES = ['GSI1', 'GSI2', 'GSI3'];
const PACKAGED = new URL('../../templates/private-account-dynamodb.yaml', import.meta.url);

export interface AccountParts {
  readonly cell: Cell;
  readonly catalog: Pick<Catalog, 'products'>;
  readonly aws: {
    readonly tables: Pick<CellAws['tables'], 'look'>;
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
    return problems.length > 0 ? problems : [ok(subject, 'has its keys, indexes and stream')];
  });
}

function checkTemplate(
  { id }: Cell,
  { templateBucket: bucket, templateKey: key, templateVersion }: AccountPlatform,
  objects: AccountParts['aws']['objects'],
): Promise<Finding[]> {
  const version = templateVersion === undefined ? '' : ` (version ${templateVersion})`;
  const subject = `cell ${id}: template of private accounts s3://${bucket}/${key}${version}`;
  return look(subject, async () => {
    const found = await readTemplate(objects, { bucket, key }, templateVersion);
    if (found === undefined)
      return problem(
        subject,
        'does not exist: upload templates/private-account-dynamodb.yaml of this version of Tenantry',
      );
    return plain(found) === plain(readFileSync(PACKAGED, 'utf8'))
      ? ok(subject, 'is the one of this version of Tenantry')
      : warning(
          subject,
          'differs from templates/private-account-dynamodb.yaml of this version of Tenantry: see what it lacks',
        );
  });
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
