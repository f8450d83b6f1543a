import type { AnyStep } from './blueprint.ts';

/** What a step makes, by the name that it has in AWS or PostgreSQL. */
export interface PhysicalName {
  /** As in the ledger: `ecs:service`, ... */
  readonly type: string;
  readonly name: string;
}

/** Types whose names come from product and slug: two tenants may not have the same. The others are named from the tenant's id. */
export const sluggedTypes: readonly string[] = [
  'ecs:service',
  'ecs:task-definition',
  'logs:log-group',
  'route53:record',
];

/**
 * The names of a step's things. Where the tenant's id makes the name, what tells two of one tenant apart stands for it: two steps of
 * a blueprint that answer the same would adopt each other's.
 */
export function physicalNames(step: AnyStep): PhysicalName[] {
  switch (step.kind) {
    case 'ecs-service':
      return [{ type: 'ecs:service', name: step.spec.serviceName }];
    case 'task-definition':
      return [{ type: 'ecs:task-definition', name: step.spec.family }];
    case 'log-group':
      return [{ type: 'logs:log-group', name: step.spec.name }];
    case 'dns-record':
      return [{ type: 'route53:record', name: step.spec.host.toLowerCase() }];
    case 'listener-rule': {
      const { loadBalancerArn, host, paths } = step.spec;
      return [
        { type: 'elbv2:rule', name: `${host.toLowerCase()}${[...paths].sort().join(',')} on ${loadBalancerArn}` },
      ];
    }
    case 'target-group':
      return [{ type: 'elbv2:target-group', name: step.spec.component }];
    case 'postgres-schema':
      return [{ type: 'postgres:schema', name: step.spec.database }];
    case 'slug-reservation':
    case 'tenant-activation':
      return [];
  }
}
