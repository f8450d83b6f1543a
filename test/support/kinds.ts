import type { accountCopy } from '../../src/kinds/account-copy/kind.ts';
import type { accountFence } from '../../src/kinds/account-fence/kind.ts';
import type { accountLease } from '../../src/kinds/account-lease/kind.ts';
import type { accountStream } from '../../src/kinds/account-stream/kind.ts';
import type { accountSwitch } from '../../src/kinds/account-switch/kind.ts';
import type { cloudformationStack } from '../../src/kinds/cloudformation-stack/kind.ts';
import type { dnsRecord } from '../../src/kinds/dns-record/kind.ts';
import type { dynamodbItem } from '../../src/kinds/dynamodb-item/kind.ts';
import type { dynamodbRows } from '../../src/kinds/dynamodb-rows/kind.ts';
import type { ecsService } from '../../src/kinds/ecs-service/kind.ts';
import type { Kind, StepContext } from '../../src/kinds/framework/kind.ts';
import type { listenerRule } from '../../src/kinds/listener-rule/kind.ts';
import type { logGroup } from '../../src/kinds/log-group/kind.ts';
import type { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import type { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import type { ssmParameters } from '../../src/kinds/ssm-parameters/kind.ts';
import type { ssmStatus } from '../../src/kinds/ssm-status/kind.ts';
import type { targetGroup } from '../../src/kinds/target-group/kind.ts';
import type { taskDefinition } from '../../src/kinds/task-definition/kind.ts';
import type { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';

/** The kinds that come with Tenantry, by name, with the shapes of their specs and outputs. */
interface BuiltIn {
  'slug-reservation': typeof slugReservation;
  'postgres-schema': typeof postgresSchema;
  'log-group': typeof logGroup;
  'task-definition': typeof taskDefinition;
  'target-group': typeof targetGroup;
  'listener-rule': typeof listenerRule;
  'dns-record': typeof dnsRecord;
  'cloudformation-stack': typeof cloudformationStack;
  'ecs-service': typeof ecsService;
  'ssm-parameters': typeof ssmParameters;
  'ssm-status': typeof ssmStatus;
  'dynamodb-item': typeof dynamodbItem;
  'dynamodb-rows': typeof dynamodbRows;
  'account-fence': typeof accountFence;
  'account-lease': typeof accountLease;
  'account-stream': typeof accountStream;
  'account-copy': typeof accountCopy;
  'account-switch': typeof accountSwitch;
  'tenant-activation': typeof tenantActivation;
}

export type KindName = keyof BuiltIn;
export type KindOf<K extends KindName> = BuiltIn[K];
export type SpecOf<K extends KindName> = BuiltIn[K] extends Kind<infer S, infer _O> ? S : never;
export type OutputsOf<K extends KindName> = BuiltIn[K] extends Kind<infer _S, infer O> ? O : never;
export type ContextOf<K extends KindName> = StepContext<SpecOf<K>, OutputsOf<K>>;
