import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { StepError } from '../contracts/step-error.ts';
import { imageRepository } from '../images.ts';
import { findApp } from './template-app.ts';
import { fargateProblems } from './template-fargate.ts';
import { sharedThings } from './template-sharing.ts';
import type { Template, TemplateUse } from './template.ts';

export interface TemplateProblem {
  readonly code: 'TEMPLATE_UNUSABLE' | 'OUTSIDE_CELL';
  /** What is wrong and what to change, to be read after the template's name. */
  readonly what: string;
}

/**
 * All that keeps a template from being cloned for tenants; empty when it can be. The one list of reasons: asked by the preflight,
 * before a tenant's first resource, and right before the clone. Pure.
 */
export function templateProblems(template: Template, use: TemplateUse): TemplateProblem[] {
  const { definition } = template;
  const app = findApp(template);
  const unusable = [
    ...('problem' in app ? [app.problem] : []),
    ...fargateProblems(definition),
    ...unclonable(definition),
    ...template.unknownFields.map(
      (path) =>
        `sets ${path}, which this version of Tenantry does not know and a clone would silently lose: take it out of the template, or upgrade Tenantry`,
    ),
    ...sharedThings(template, use),
  ];
  return [
    ...outsideCell(definition, use).map((what) => ({ code: 'OUTSIDE_CELL' as const, what })),
    ...unusable.map((what) => ({ code: 'TEMPLATE_UNUSABLE' as const, what })),
  ];
}

/** @throws StepError TEMPLATE_UNUSABLE, OUTSIDE_CELL */
export function refuseUnclonable(template: Template, use: TemplateUse): void {
  const problems = templateProblems(template, use);
  const [first] = problems;
  if (!first) return;
  const what = problems.map((problem) => problem.what).join('; it ');
  throw new StepError(first.code, `template service "${template.service.name}" (${template.arn}) ${what}`);
}

/** What works for the template and not for a clone of it, with logs and settings of its own. */
function unclonable({ containerDefinitions = [], volumes = [] }: TaskDefinition): string[] {
  const of = (name: string | undefined) => `(container ${name ?? '?'})`;
  return [
    ...volumes
      .filter(({ configuredAtLaunch }) => configuredAtLaunch === true)
      .map(({ name = '?' }) => `leaves volume ${name} to be configured at launch, which tenants' services do not do`),
    ...containerDefinitions
      .filter(({ firelensConfiguration }) => firelensConfiguration !== undefined)
      .map(
        ({ name }) => `routes logs by FireLens ${of(name)}: tenants log by awslogs to a group of their own, without it`,
      ),
    ...containerDefinitions
      .filter(({ credentialSpecs = [] }) => credentialSpecs.length > 0)
      .map(({ name }) => `joins a domain by a credential spec ${of(name)}, which tenants must not share`),
  ];
}

function outsideCell({ taskRoleArn, executionRoleArn, containerDefinitions = [] }: TaskDefinition, use: TemplateUse) {
  const roles = new Set([taskRoleArn, executionRoleArn].filter((role) => role !== undefined && role !== ''));
  return [
    ...[...roles]
      .filter((role) => !use.allowedRoleArns.includes(role ?? ''))
      .map((role) => `names role ${role ?? ''}, which tenants of the cell may not use`),
    ...containerDefinitions
      .filter(({ image }) => !image || !use.allowedImageRepositories.includes(imageRepository(image)))
      .map(({ image }) => `names image ${image ?? '(none)'}, which is in none of the cell's image repositories`),
  ];
}
