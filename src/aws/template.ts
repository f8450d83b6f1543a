import type { TaskDefinition } from '@aws-sdk/client-ecs';
import type { SharedWithTemplate } from '../contracts/platform.ts';
import { StepError } from '../contracts/step-error.ts';
import type { Ecs } from './ecs.ts';
import type { EcsService } from './ecs-service.ts';

/** A service that tenants are cloned from, with the revision that it runs. */
export interface Template {
  readonly service: Pick<EcsService, 'name' | 'targets'>;
  readonly definition: TaskDefinition;
  /** Paths of its fields that `definition` lacks, because the SDK does not know them. */
  readonly unknownFields: readonly string[];
  readonly arn: string;
}

/** What a clone of a template is for: what it takes over, and what it may. */
export interface TemplateUse {
  /** Names of variables and secrets that the tenant's own values take. */
  readonly given: ReadonlySet<string>;
  /** Names that the product gives to any container of a tenant. */
  readonly perTenant: ReadonlySet<string>;
  readonly shared: SharedWithTemplate;
  readonly allowedRoleArns: readonly string[];
  readonly allowedImageRepositories: readonly string[];
}

/** @throws StepError TEMPLATE_NOT_FOUND, TEMPLATE_UNUSABLE */
export async function findTemplate(ecs: Ecs, name: string): Promise<Template> {
  const service = await ecs.findService(name);
  if (!service || service.status === 'INACTIVE') {
    throw new StepError('TEMPLATE_NOT_FOUND', `template service "${name}" does not exist: deploy it`);
  }
  const unusable = (why: string) => new StepError('TEMPLATE_UNUSABLE', `template service "${name}" ${why}`);
  if (service.status !== 'ACTIVE') throw unusable(`is ${service.status}: deploy it anew`);
  const { taskDefinitionArn: arn, deploymentController } = service;
  if (arn === undefined) {
    throw unusable(
      `names no task definition (its deployment controller is ${deploymentController}): let ECS deploy it`,
    );
  }
  const revision = await ecs.findTaskDefinition(arn);
  if (!revision) throw unusable(`runs ${arn}, which does not exist: deploy it anew`);
  const { definition, unknownFields } = revision;
  return { service, definition, unknownFields, arn: revision.arn };
}
