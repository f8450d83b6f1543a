import type { TemplateUse } from '../../aws/template.ts';
import type { Blueprint, Step } from '../../contracts/blueprint.ts';
import type { Cell } from '../../contracts/platform.ts';
import { definitionSpec, type DefinitionSpec } from './spec.ts';

/** `Kind.name` of the steps that clone a template. */
export const DEFINITION_KIND = 'task-definition';

type Cloned = { readonly [K in 'environment' | 'secrets']: Readonly<Record<string, unknown>> };

/** The use that a step makes of its template. */
export function templateUse(
  spec: Cloned,
  { steps, product }: Pick<Blueprint, 'steps' | 'product'>,
  cell: Cell,
): TemplateUse {
  const given = namesIn(spec);
  const others = steps.flatMap((step) => specsIn(step).flatMap(namesIn));
  return {
    given: new Set(given),
    perTenant: new Set([...given, ...others]),
    shared: cell.sharedWithTemplate?.[product] ?? {},
    allowedRoleArns: cell.allowedRoleArns,
    allowedImageRepositories: cell.allowedImageRepositories,
  };
}

/** Every use that a blueprint makes of a template, by the template service's name. */
export function templateUses(blueprint: Pick<Blueprint, 'steps' | 'product'>, cell: Cell) {
  return blueprint.steps.flatMap(specsIn).map((spec) => ({
    service: spec.templateService,
    use: templateUse(spec, blueprint, cell),
  }));
}

function specsIn({ kind, spec }: Step): DefinitionSpec[] {
  return kind === DEFINITION_KIND ? [definitionSpec.parse(spec)] : [];
}

function namesIn({ environment, secrets }: Cloned): string[] {
  return [...Object.keys(environment), ...Object.keys(secrets)];
}
