import type { FailsAs, Step } from '../contracts/blueprint.ts';
import type { Ref } from '../contracts/kinds.ts';
import { ecsService } from '../kinds/ecs-service/kind.ts';
import { listenerRule } from '../kinds/listener-rule/kind.ts';
import { logGroup } from '../kinds/log-group/kind.ts';
import { targetGroup } from '../kinds/target-group/kind.ts';
import { taskDefinition } from '../kinds/task-definition/kind.ts';
import type { ProductRequest } from './define-product.ts';
import type { ServiceSettings } from './service-settings.ts';

/** What a request must have for a service that answers at the tenant's host. */
export type ServiceRequest<Component extends string> = Pick<
  ProductRequest<string, 'host' | 'load-balancer', Component>,
  'cell' | 'host' | 'loadBalancer' | 'step' | 'template'
>;

/** A component of a tenant that is a service of its own on the shared cluster, behind the shared load balancer. */
export interface ServiceComponent<Component extends string> {
  /** A template of the product: the service is cloned from it. */
  readonly component: Component;
  /** Of service and task definition, and in the name of the log group: `<product>-<slug>-<component>`. */
  readonly name: string;
  readonly port: number;
  /** Asked by the load balancer, of each task. */
  readonly healthPath: string;
  /** Asked at the tenant's host before the service counts as ready; the health path by default. */
  readonly probePath?: string | undefined;
  /** Patterns of the paths that it answers; by default all that no other component's patterns take. */
  readonly rulePaths?: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string | Ref>>;
  readonly secrets?: Readonly<Record<string, string | Ref>> | undefined;
  /** Tasks, unless an operator chose another number; 1 by default. */
  readonly desiredCount?: number | undefined;
  /** What an operator chose for it. */
  readonly settings?: ServiceSettings | undefined;
  /** Steps that must be ready before anything of it is made, before its task definition is, and before it is deployed. */
  readonly needs: {
    readonly all: readonly string[];
    readonly task?: readonly string[];
    readonly deploy?: readonly string[];
  };
  /** The step of the tenant's DNS record, which goes before what it points at (design rule 8). */
  readonly record: string;
  /** What its failure is called in the operation's. */
  readonly failsAs?: FailsAs | undefined;
}

/**
 * The five steps of a service: `create_log_group:`, `create_task_definition:`, `create_target_group:` and `create_alb_rule:` with the
 * component's name, and `deploy_<component>`.
 */
export function serviceSteps<Component extends string>(
  { cell, host, loadBalancer, step, template }: ServiceRequest<Component>,
  { component, name, needs, record, failsAs, settings = {}, ...of }: ServiceComponent<Component>,
): Step[] {
  const { image, count, cpu, memory } = settings;
  return [
    step(logGroup, {
      id: `create_log_group:${component}`,
      needs: needs.all,
      spec: { name: `/ecs/${name}`, retentionDays: cell.logRetentionDays },
    }),
    step(taskDefinition, {
      id: `create_task_definition:${component}`,
      needs: [...(needs.task ?? needs.all), `create_log_group:${component}`],
      rereads: true,
      spec: {
        family: name,
        templateService: template(component),
        environment: of.environment,
        secrets: of.secrets ?? {},
        logGroup: { ref: `create_log_group:${component}.name` },
        ...(image !== undefined && { image }),
        ...(cpu !== undefined && memory !== undefined && { cpu, memory }),
      },
    }),
    step(targetGroup, {
      id: `create_target_group:${component}`,
      needs: needs.all,
      rereads: true,
      spec: { component, port: of.port, healthPath: of.healthPath },
    }),
    step(listenerRule, {
      id: `create_alb_rule:${component}`,
      needs: [`create_target_group:${component}`],
      rereads: true,
      spec: {
        loadBalancerArn: loadBalancer.arn,
        host,
        paths: [...(of.rulePaths ?? [])],
        targetGroupArn: { ref: `create_target_group:${component}.arn` },
      },
    }),
    step(ecsService, {
      id: `deploy_${component}`,
      // ECS refuses a service whose target group is not attached to a listener: the rule comes first.
      needs: [`create_task_definition:${component}`, `create_alb_rule:${component}`, ...(needs.deploy ?? [])],
      rereads: true,
      removeAfter: [record],
      ...(failsAs && { failsAs }),
      spec: {
        serviceName: name,
        taskDefinitionArn: { ref: `create_task_definition:${component}.arn` },
        targetGroupArn: { ref: `create_target_group:${component}.arn` },
        containerName: { ref: `create_task_definition:${component}.containerName` },
        containerPort: { ref: `create_task_definition:${component}.containerPort` },
        desiredCount: count ?? of.desiredCount ?? 1,
        healthCheckGraceSeconds: 120,
        probe: { loadBalancerArn: loadBalancer.arn, host, path: of.probePath ?? of.healthPath },
      },
    }),
  ];
}

/** The variables by which a container reaches a tenant's schema; the password is the secret `{ ref: '<step>.secretArn' }`. */
export function schemaVariables(schemaStep: string): Record<`DB_${'HOST' | 'PORT' | 'NAME' | 'SCHEMA' | 'USER'}`, Ref> {
  return {
    DB_HOST: { ref: `${schemaStep}.host` },
    DB_PORT: { ref: `${schemaStep}.port` },
    DB_NAME: { ref: `${schemaStep}.database` },
    DB_SCHEMA: { ref: `${schemaStep}.schema` },
    DB_USER: { ref: `${schemaStep}.role` },
  };
}
