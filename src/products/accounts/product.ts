import { leaseParameterName } from '../../accounts-router/fence.ts';
import type { Step } from '../../contracts/blueprint.ts';
import type { Value } from '../../contracts/kinds.ts';
import { cloudformationStack } from '../../kinds/cloudformation-stack/kind.ts';
import { dynamodbRows } from '../../kinds/dynamodb-rows/kind.ts';
import { slugReservation } from '../../kinds/slug-reservation/kind.ts';
import { ssmParameters } from '../../kinds/ssm-parameters/kind.ts';
import { ssmStatus } from '../../kinds/ssm-status/kind.ts';
import type { StatusSpec } from '../../kinds/ssm-status/spec.ts';
import { tenantActivation } from '../../kinds/tenant-activation/kind.ts';
import { defineProduct, type ProductRequest } from '../define-product.ts';
import { cloudTypes } from './cloud-types.ts';
import { CLOSED, COPIED, moveSteps } from './move.ts';
import { accountPlatformOf, parameterNames, type AccountPlatform } from './platform.ts';
import { accountKey, copySteps, type Copy } from './rows.ts';
import { accountSettings, isSameAccount, type AccountSettings } from './settings.ts';
import { accountStack, dedicatedTable } from './stack.ts';

const STATUS = 'provisioning-status';
const ERROR = 'provisioning-error';
/** The rows of services in the shared table. */
const ROWS = 'rows';

type Request = ProductRequest<'public' | 'private', never, never, AccountSettings>;

/** What the steps of an account are resolved from. */
interface Account extends Pick<Request, 'cameFrom' | 'isMoving' | 'settings' | 'step' | 'tier'> {
  readonly id: string;
  readonly name: string;
  readonly platform: AccountPlatform;
}

/**
 * Accounts of the platform of DynamoDB tables (requirements R-ACC-*): a public one has its rows in the table that the cell's accounts
 * share, a private one a table of its own, made by a stack. The steps, and who writes what: docs/accounts.md.
 */
export const accounts = defineProduct({
  name: 'accounts',
  tiers: cloudTypes,
  tierChanges: [{ from: 'public', to: 'private' }],
  slugs: 'tenant-id',
  noun: 'account',
  tierNoun: 'cloud type',
  details: { displayName: 'name', contactEmail: 'technicalUser.email' },
  places: [],
  suspendable: false,
  ssmParameters: Object.values(parameterNames),
  settings: accountSettings,
  isSameSettings: isSameAccount,
  blueprint({ cameFrom, cell, isMoving, settings, step, tenant, tier }) {
    const account = {
      cameFrom,
      isMoving,
      settings,
      step,
      tier,
      platform: accountPlatformOf(cell),
      id: tenant.id,
      name: settings.name ?? tenant.slug,
    };
    const made = [
      step(slugReservation, {
        id: 'validate',
        needs: [],
        spec: { slug: tenant.slug, templateServices: [] },
      }),
      markStep(account),
      statusStep(account, { id: 'announce', needs: ['mark'], drainSeconds: account.platform.leaseSeconds }),
      // Whoever reads the account's status is told that it goes before anything of it is gone; a late `active` only `activate` undoes.
      ...(tier === 'public' ? publicSteps(account) : privateSteps(account)).map(goingAfter('announce', 'activate')),
    ];
    const activate = statusStep(account, { id: 'activate', needs: made.map(({ id }) => id), ready: 'active' });
    const move = isMoving ? moveOf(account, [...made, activate]) : [];
    const needs = ['activate', ...(isMoving ? [CLOSED] : [])];
    return [...made, ...move, activate, step(tenantActivation, { id: 'finalize', needs, spec: {} })];
  },
});

function goingAfter(...ids: readonly string[]): (step: Step) => Step {
  return (step) => ({ ...step, removeAfter: [...(step.removeAfter ?? []), ...ids] });
}

/** What kind of account it is and what it is at, for whoever asks SSM (requirements R-SSM-01..03). */
function markStep({ id, isMoving, step, tier }: Account): Step {
  return step(ssmParameters, {
    id: 'mark',
    needs: ['validate', ...(isMoving ? [COPIED] : [])],
    spec: {
      path: `/accounts/${id}/`,
      parameters: {
        'cloud-type': {},
        [STATUS]: { isInitial: true },
        [ERROR]: { isInitial: true },
      },
      values: { 'cloud-type': tier, [STATUS]: 'creating', [ERROR]: 'none' },
    },
  });
}

/** Writes what the account is at (requirement R-SSM-02). */
function statusStep(
  { id: accountId, step }: Account,
  { drainSeconds, id, needs, ready }: Pick<StatusSpec, 'drainSeconds' | 'ready'> & Pick<Step, 'id' | 'needs'>,
): Step {
  return step(ssmStatus, {
    id,
    needs,
    spec: {
      ...{ path: `/accounts/${accountId}/`, statusParameter: STATUS, errorParameter: ERROR },
      ...{ failed: 'failed', removing: 'deleting' },
      ...(ready !== undefined && { ready }),
      ...(drainSeconds !== undefined && { drainSeconds, drainParameter: leaseParameterName }),
    },
  });
}

/** Rows beside those of other accounts, and parameters that lead to their table. */
function publicSteps(account: Account): Step[] {
  const { platform, step } = account;
  const { sharedStreamArn, sharedTable, sharedTableArn } = platform;
  // The names of a set are its step's for good, so that what a cell may give later is one of its own.
  const streamArn =
    sharedStreamArn === undefined ? [] : [discoveryStep(account, ':stream', { 'stream-arn': sharedStreamArn })];
  return [
    ...copySteps(step, sharedCopy(account), { needs: ['mark'] }),
    step(dynamodbRows, {
      id: ROWS,
      needs: ['mark'],
      spec: {
        table: sharedTable,
        partitionKey: { name: 'PK', value: accountKey(account.id) },
        holdSeconds: platform.holdSeconds,
      },
    }),
    discoveryStep(account, '', { 'table-name': sharedTable, 'table-arn': sharedTableArn }),
    ...streamArn,
  ];
}

/** Parameters by which the account's table is found (requirement R-SSM-04). */
function discoveryStep(
  { id, step }: Account,
  suffix: string,
  values: Readonly<Record<string, Value<string>>>,
  needs = ['put_shared_metadata'],
): Step {
  return step(ssmParameters, {
    id: `put_discovery${suffix}`,
    needs,
    spec: {
      path: `/accounts/${id}/dynamodb/`,
      parameters: Object.fromEntries(Object.keys(values).map((name) => [name, {}])),
      values,
    },
  });
}

/** A stack that makes the table and the parameters that lead to it; the account's rows in both tables, its own one first (C-41). */
function privateSteps(account: Account): Step[] {
  const { cameFrom, id: accountId, isMoving, name, platform, step } = account;
  const dedicated = { ...sharedCopy(account), table: dedicatedTable(platform, accountId), isAdminCopy: false };
  const isMoved = cameFrom === 'public';
  return [
    step(cloudformationStack, {
      id: 'create_stack',
      needs: [isMoving ? 'validate' : 'mark'],
      spec: accountStack(platform, { accountId, name, publishesParameters: !isMoved }),
    }),
    ...copySteps(step, { ...dedicated, copy: 'dedicated' }, { needs: ['create_stack'] }),
    ...copySteps(step, sharedCopy(account), { needs: isMoving ? [COPIED] : [], after: 'dedicated' }),
    ...(isMoved ? movedDiscovery(account) : []),
  ];
}

/** The parameters of an account that was public were there before its stack, so that they stay the application's. */
function movedDiscovery(account: Account): Step[] {
  const output = (name: string) => ({ ref: `create_stack.${name}` });
  const needs = ['create_stack', ...(account.isMoving ? [COPIED] : [])];
  return [
    discoveryStep(account, '', { 'table-name': output('TableName'), 'table-arn': output('TableArn') }, needs),
    discoveryStep(account, ':stream', { 'stream-arn': output('StreamArn') }, needs),
  ];
}

/** @param made the steps of the private account */
function moveOf({ id: accountId, platform, step }: Account, made: readonly Step[]): Step[] {
  const ids = made.map(({ id }) => id);
  const isDedicated = (id: string) => id === 'create_stack' || id.startsWith('put_dedicated_');
  return moveSteps(step, {
    accountId,
    table: platform.sharedTable,
    toTable: dedicatedTable(platform, accountId),
    leaseSeconds: platform.leaseSeconds,
    made: ids.filter(isDedicated),
    changed: ids.filter((id) => !isDedicated(id)),
    rows: ROWS,
  });
}

function sharedCopy({ id: accountId, name, platform, settings, tier }: Account): Copy {
  const isAdminCopy = tier === 'private';
  return { accountId, name, settings, tier, table: platform.sharedTable, copy: 'shared', isAdminCopy };
}
