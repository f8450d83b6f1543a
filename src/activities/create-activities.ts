import type { Activities } from '../contracts/activities.ts';
import { createBookkeeping } from './bookkeeping.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { KindRegistry } from './kind.ts';
import { dnsRecord } from './kinds/dns-record.ts';
import { ecsService } from './kinds/ecs-service.ts';
import { listenerRule } from './kinds/listener-rule.ts';
import { logGroup } from './kinds/log-group.ts';
import { postgresSchema } from './kinds/postgres-schema.ts';
import { slugReservation } from './kinds/slug-reservation.ts';
import { targetGroup } from './kinds/target-group.ts';
import { taskDefinition } from './kinds/task-definition.ts';
import { tenantActivation } from './kinds/tenant-activation.ts';
import { createVerbActivities } from './verb-activities.ts';

/** Every resource kind of this code: a kind without its row, or with a verb missing, fails the build. */
export const kindRegistry = {
  'slug-reservation': slugReservation,
  'postgres-schema': postgresSchema,
  'log-group': logGroup,
  'task-definition': taskDefinition,
  'target-group': targetGroup,
  'listener-rule': listenerRule,
  'dns-record': dnsRecord,
  'ecs-service': ecsService,
  'tenant-activation': tenantActivation,
} satisfies KindRegistry;

/** All activities of a worker. */
export function createActivities(deps: ActivityDependencies): Activities {
  return { ...createVerbActivities(deps, deps.kinds ?? kindRegistry), ...createBookkeeping(deps) };
}
