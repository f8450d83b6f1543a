import { licenseSortKeyPrefix, metadataSortKey } from '../../accounts-router/control-rows.ts';
import type { Step } from '../../contracts/blueprint.ts';
import { dynamodbItem } from '../../kinds/dynamodb-item/kind.ts';
import type { MakeStep } from '../step.ts';
import { licenseHash, licenseKey } from './licenses.ts';
import type { AccountSettings, License } from './settings.ts';

/** An account, and the table that a copy of its own rows goes to. */
export interface Copy {
  readonly accountId: string;
  readonly name: string;
  readonly tier: 'public' | 'private';
  readonly settings: AccountSettings;
  readonly table: string;
  /** In the ids of the steps: `put_shared_metadata`. */
  readonly copy: 'shared' | 'dedicated';
  /** The shared copy of a private account: what administrators look up, and nobody's address (C-41). */
  readonly isAdminCopy: boolean;
}

/** What the steps of a copy wait for. */
export interface CopyOrder {
  /** Of the metadata; a license needs that. */
  readonly needs: readonly string[];
  /** Each row is written after the same row of another copy (C-41). */
  readonly after?: Copy['copy'] | undefined;
}

/** The steps of an account's own rows in one table: its metadata, and a row for each license. */
export function copySteps(step: MakeStep, copy: Copy, { after, needs }: CopyOrder): Step[] {
  const put = (row: Row, needed: readonly string[]) =>
    step(dynamodbItem, {
      id: rowStep(copy.copy, row),
      needs: [...needed, ...(after === undefined ? [] : [rowStep(after, row)])],
      spec: {
        table: copy.table,
        partitionKey: { name: 'PK', value: accountKey(copy.accountId) },
        sortKey: { name: 'SK', value: row.sortKey },
        attributes: row.attributes,
        ...absentOf(row),
      },
    });
  const [metadata, ...licenses] = rowsOf(copy);
  return [put(metadata, needs), ...licenses.map((row) => put(row, [rowStep(copy.copy, metadata)]))];
}

/** A row of an account, in whichever table. */
interface Row {
  readonly id: string;
  readonly sortKey: string;
  readonly attributes: RowAttributes;
}

type RowAttributes = Readonly<Record<string, unknown>> & { readonly entityType: 'ACCOUNT' | 'LICENSE' };

function rowStep(copy: Copy['copy'], { id }: Row): string {
  return `put_${copy}_${id}`;
}

function rowsOf(copy: Copy): [Row, ...Row[]] {
  const { licenses = [] } = copy.settings;
  return [
    { id: 'metadata', sortKey: metadataSortKey, attributes: metadataOf(copy) },
    ...licenses.map((license) => ({
      id: `license:${licenseHash(license)}`,
      sortKey: `${licenseSortKeyPrefix}${licenseKey(license)}`,
      attributes: licenseRow(copy, license),
    })),
  ];
}

/** The partition of an account, in whichever table. */
export function accountKey(accountId: string): string {
  return `ACCOUNT#${accountId}`;
}

function metadataOf({ accountId, isAdminCopy, name, settings, tier }: Copy): RowAttributes {
  const { addresses, masterAccountName, technicalUser } = settings;
  const key = accountKey(accountId);
  const email = technicalUser?.email.toLowerCase();
  return {
    entityType: 'ACCOUNT',
    ...given({
      ...{ accountId, name, masterAccountName, cloudType: tier },
      ...(isAdminCopy ? {} : { addresses, technicalUser }),
      ...{ GSI1PK: 'ACCOUNTS', GSI1SK: key },
      ...(email !== undefined && { GSI3PK: `EMAIL#${email}`, GSI3SK: key }),
    }),
  };
}

/**
 * Attributes that the control plane's rows of either kind may have. What one of them lacks is nobody else's: a person's address put there by
 * hand would stand in a table that is to have none (C-41).
 */
const attributesOf = {
  ACCOUNT: [
    ...['entityType', 'accountId', 'name', 'masterAccountName', 'cloudType', 'addresses', 'technicalUser'],
    ...['GSI1PK', 'GSI1SK', 'GSI3PK', 'GSI3SK'],
  ],
  LICENSE: [
    ...['entityType', 'accountId', 'enterpriseId', 'productId', 'serviceId', 'startDate', 'endDate'],
    ...['contactFullName', 'contactEmail', 'GSI2PK', 'GSI2SK'],
  ],
} as const;

function absentOf({ attributes }: Row): { readonly absent?: readonly string[] } {
  const absent = attributesOf[attributes.entityType].filter((name) => !Object.hasOwn(attributes, name));
  return absent.length === 0 ? {} : { absent };
}

function licenseRow({ accountId, isAdminCopy }: Copy, license: License): RowAttributes {
  const { contactEmail, contactFullName, endDate, enterpriseId, productId, serviceId, startDate } = license;
  return {
    entityType: 'LICENSE',
    ...{ accountId, enterpriseId, productId, serviceId, startDate, endDate },
    ...(isAdminCopy ? {} : { contactFullName, contactEmail }),
    ...{ GSI2PK: `LICENSE#${enterpriseId}#${productId}`, GSI2SK: `${accountKey(accountId)}#${serviceId}` },
  };
}

/** Without what was not given. */
function given(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
