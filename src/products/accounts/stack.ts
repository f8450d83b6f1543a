import type { StackSpec } from '../../kinds/cloudformation-stack/spec.ts';
import type { AccountPlatform } from './platform.ts';

/** Minutes after which the creation of a stack fails (requirement U-29). */
const TIMEOUT_MINUTES = 15;
/** What the template takes in a name; others would be read as text of AWS. */
const TAKEN = /[^A-Za-z0-9_.-]+/gu;
const LONGEST_NAME = 200;

/** The stack of a private account's table (requirements R-CFN-*, C-12). */
export function accountStack(
  { appName, billingMode, environment, privateTableKey, templateBucket, templateKey, templateVersion }: AccountPlatform,
  {
    accountId,
    name,
    publishesParameters,
  }: { readonly accountId: string; readonly name: string; readonly publishesParameters: boolean },
): StackSpec {
  return {
    prefix: stackPrefix({ appName, environment }),
    template: {
      bucket: templateBucket,
      key: templateKey,
      ...(templateVersion !== undefined && { version: templateVersion }),
    },
    parameters: {
      AccountId: accountId,
      AccountName: takenName(name, accountId),
      AppName: appName,
      Environment: environment,
      BillingMode: billingMode,
      EnableDeletionProtection: 'true',
      PublishParameters: String(publishesParameters),
      ...(privateTableKey !== undefined && { KmsKeyArn: privateTableKey }),
    },
    capabilities: [],
    tags: {},
    terminationProtection: true,
    liftsTableProtection: true,
    timeoutMinutes: TIMEOUT_MINUTES,
  };
}

/** Name of the table of a private account; its stack has the same (requirement R-CFN-05). */
export function dedicatedTable(platform: Pick<AccountPlatform, 'appName' | 'environment'>, accountId: string): string {
  return `${stackPrefix(platform)}-${accountId}`;
}

function stackPrefix({ appName, environment }: Pick<AccountPlatform, 'appName' | 'environment'>): string {
  return `${appName}-${environment}-account`;
}

/** A tag takes few characters: a name in another script is told by the account's id. */
function takenName(name: string, accountId: string): string {
  const taken = name.replaceAll(TAKEN, ' ').trim().slice(0, LONGEST_NAME).trim();
  return taken === '' ? accountId : taken;
}
