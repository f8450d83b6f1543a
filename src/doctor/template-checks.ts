import type { CellAws } from '../aws/cell-aws.ts';
import type { EcsService } from '../aws/ecs-service.ts';
import { templateProblems } from '../aws/template-check.ts';
import { findTemplate, type Template } from '../aws/template.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Cell } from '../contracts/platform.ts';
import { StepError } from '../contracts/step-error.ts';
import { templateUses } from '../kinds/task-definition/template-use.ts';
import type { Product } from '../products/product.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import { blueprintsOf } from './product-checks.ts';

export interface TemplateCheck {
  readonly cell: Cell;
  readonly aws: CellAws;
  readonly catalog: Catalog;
}

const covers = ['R-PRE-02', 'R-PRE-03'] as const;
/** A deployment that takes longer than this, in ms, does not get on. */
const LONGEST_DEPLOYMENT_MS = 30 * 60_000;

/** Whether a template service runs, and whether tenants' steps would clone it: by the very list of reasons that they ask. */
export async function checkTemplate(
  { cell, aws, catalog }: TemplateCheck,
  { product, name, subject }: { readonly product: string; readonly name: string; readonly subject: string },
): Promise<Finding> {
  const service = await aws.ecs.findService(name);
  if (!service || service.status !== 'ACTIVE') {
    const state = service ? `is ${service.status}` : 'does not exist';
    return problem(subject, `${state}: deploy it before the first tenant`, ...covers);
  }
  const [template, why] = await readTemplate(aws, name);
  const problems = template ? problemsOf(template, cell, catalog.products[product]) : [why];
  if (problems.length > 0)
    return problem(subject, `cannot be cloned for tenants: it ${problems.join('; it ')}`, ...covers);
  return checkTasks(service, subject);
}

/** Whether it runs as many tasks as it is to. */
export function checkTasks(service: EcsService, subject: string): Finding {
  const { desiredCount, runningCount, taskDefinitionArn = '' } = service;
  if (runningCount > desiredCount && desiredCount > 0) return checkSurplus(service, subject);
  const runs = `runs ${runningCount} of ${desiredCount} tasks`;
  return desiredCount === 0 || runningCount < desiredCount
    ? warning(subject, `${runs}: tenants cloned from it may not get healthy`, ...covers)
    : ok(subject, `${runs} of ${taskDefinitionArn}`, ...covers);
}

/** A deployment runs old tasks beside new ones, for a while. */
function checkSurplus({ desiredCount, runningCount, deployments }: EcsService, subject: string): Finding {
  const runs = `${runningCount} tasks run, and ${desiredCount} ${desiredCount === 1 ? 'is' : 'are'} wanted`;
  const deploying = deployments.filter(({ rolloutState }) => rolloutState === 'IN_PROGRESS');
  if (deploying.length === 0)
    return warning(subject, `${runs}, but no deployment is under way: find out why the others do not stop`, ...covers);
  const beganAt = new Date(Math.min(...deploying.map(({ createdAt }) => createdAt.getTime())));
  return Date.now() - beganAt.getTime() > LONGEST_DEPLOYMENT_MS
    ? warning(subject, `${runs}: its deployment of ${beganAt.toISOString()} does not come to an end`, ...covers)
    : ok(subject, `is deploying: ${runs} until the deployment of ${beganAt.toISOString()} has ended`, ...covers);
}

async function readTemplate(aws: CellAws, name: string): Promise<[Template | undefined, string]> {
  try {
    return [await findTemplate(aws.ecs, name), ''];
  } catch (error) {
    if (error instanceof StepError && error.code === 'TEMPLATE_UNUSABLE') return [undefined, error.message];
    throw error;
  }
}

/** Without the product nobody knows what its tenants take over; that it is not installed is said elsewhere. */
function problemsOf(template: Template, cell: Cell, product: Product | undefined): string[] {
  const uses = product ? blueprintsOf(product, cell).flatMap((blueprint) => templateUses(blueprint, cell)) : [];
  const ofThis = uses.filter(({ service }) => service === template.service.name);
  return [...new Set(ofThis.flatMap(({ use }) => templateProblems(template, use).map(({ what }) => what)))];
}
