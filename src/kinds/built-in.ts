import type { Kind } from './framework/kind.ts';
import { accountCopy } from './account-copy/kind.ts';
import { accountFence } from './account-fence/kind.ts';
import { accountLease } from './account-lease/kind.ts';
import { accountStream } from './account-stream/kind.ts';
import { accountSwitch } from './account-switch/kind.ts';
import { cloudformationStack } from './cloudformation-stack/kind.ts';
import { dnsRecord } from './dns-record/kind.ts';
import { dynamodbItem } from './dynamodb-item/kind.ts';
import { dynamodbRows } from './dynamodb-rows/kind.ts';
import { ecsService } from './ecs-service/kind.ts';
import { listenerNotice } from './listener-notice/kind.ts';
import { listenerRule } from './listener-rule/kind.ts';
import { logGroup } from './log-group/kind.ts';
import { postgresLogin } from './postgres-login/kind.ts';
import { postgresPassword } from './postgres-password/kind.ts';
import { postgresSchema } from './postgres-schema/kind.ts';
import { slugReservation } from './slug-reservation/kind.ts';
import { ssmParameters } from './ssm-parameters/kind.ts';
import { ssmStatus } from './ssm-status/kind.ts';
import { targetGroup } from './target-group/kind.ts';
import { taskDefinition } from './task-definition/kind.ts';
import { tenantActivation } from './tenant-activation/kind.ts';

/** The kinds that come with Tenantry; an installation's products bring their own beside them. */
export const builtInKinds: readonly Kind[] = [
  slugReservation,
  dnsRecord,
  listenerRule,
  listenerNotice,
  ecsService,
  targetGroup,
  taskDefinition,
  logGroup,
  cloudformationStack,
  postgresSchema,
  postgresLogin,
  postgresPassword,
  ssmParameters,
  ssmStatus,
  dynamodbItem,
  dynamodbRows,
  accountFence,
  accountLease,
  accountStream,
  accountCopy,
  accountSwitch,
  tenantActivation,
];

/** Whether a kind comes with Tenantry, by its name. */
export function isBuiltIn({ name }: Pick<Kind, 'name'>): boolean {
  return builtInKinds.some((kind) => kind.name === name);
}
