import { z } from 'zod';
import { blueprintProblems, refField, refsIn, refStep, type Blueprint } from '../contracts/blueprint.ts';
import { outsideCellSoFar } from '../kinds/framework/outside-cell.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import { resolveSpec, type Source } from '../plan/spec-resolution.ts';
import { placeProblems, type Placed } from './place-problems.ts';
import type { Product } from './product.ts';

/** What a blueprint is checked against before its tenant is accepted. */
export interface Acceptance extends Placed {
  readonly tenantId: string;
  /** Undefined: the product declares no place `host`. */
  readonly host: string | undefined;
  /** It is for a change of tier; default: it is not. */
  readonly isMoving?: boolean | undefined;
}

/**
 * All that is wrong with a blueprint before anything of it is made, as sentences; empty when its tenant may be accepted. The door, the
 * doctor and `tenantry test` ask the same. Pure.
 */
export function acceptanceProblems(
  kinds: KindRegistry,
  product: Pick<Product, 'name' | 'places'>,
  blueprint: Blueprint,
  acceptance: Acceptance,
): string[] {
  const unfit = [
    ...blueprintProblems(blueprint, kinds),
    ...outputProblems(kinds, blueprint),
    ...(acceptance.isMoving === true ? [] : misplacedProblems(blueprint)),
  ];
  // What is said of a spec's values supposes that its shape is right; a place that is not declared would be named twice.
  if (unfit.length > 0) return unfit;
  const unreserved = placeProblems(kinds, product, blueprint, acceptance);
  return unreserved.length > 0 ? unreserved : boundProblems(kinds, blueprint, acceptance);
}

/** Nothing would remove them in time, or they would be made anew by every change. */
function misplacedProblems({ steps }: Blueprint): string[] {
  return steps
    .filter(({ transient }) => transient === true)
    .map(({ id }) => `step "${id}" is transient, which only steps of a change of tier can be (isMoving)`);
}

/** References to outputs that the kind of the step that they name does not have. */
function outputProblems({ kinds }: KindRegistry, { steps }: Blueprint): string[] {
  const kindOf = new Map(steps.map(({ id, kind }) => [id, kind]));
  return steps.flatMap(({ id, spec }) =>
    refsIn(spec).flatMap((ref) => {
      const kind = kindOf.get(refStep(ref)) ?? '';
      const names = outputNames(kinds.get(kind)?.outputs);
      if (names === undefined || names.includes(refField(ref))) return [];
      const has = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
      return [`step "${id}" refers to "${ref}", and kind "${kind}" has no output "${refField(ref)}": ${has}`];
    }),
  );
}

/** Undefined where the schema does not list them. */
function outputNames(outputs: z.ZodType | undefined): readonly string[] | undefined {
  return outputs instanceof z.ZodObject ? Object.keys(outputs.shape) : undefined;
}

/** References are left out: what they will stand for is not known. */
const nothingMade: ReadonlyMap<string, Source> = new Map();

function boundProblems({ kinds }: KindRegistry, { product, steps }: Blueprint, acceptance: Acceptance): string[] {
  const { cell, host, slug, tenantId } = acceptance;
  const recorded = { hostName: host ?? null, zoneIds: [], loadBalancerArns: [], listenerArns: [] };
  const bounds = { cell, tenant: { id: tenantId, slug, product }, recorded };
  return steps.flatMap((step) => {
    const kind = kinds.get(step.kind);
    const problems = kind ? outsideCellSoFar(kind, resolveSpec(step.spec, nothingMade), bounds) : [];
    return problems.map((problem) => `step "${step.id}": ${problem}`);
  });
}
