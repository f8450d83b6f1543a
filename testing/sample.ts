import type { CellAws } from '../src/aws/cell-aws.ts';
import type { Cell } from '../src/contracts/platform.ts';
import { refsIn, refStep, type Step } from '../src/contracts/blueprint.ts';
import type { BlueprintRequest, Product } from '../src/products/product.ts';

/** Steps that one conformance run makes and takes back: the one under test comes last, before it what it needs. */
export interface Sample {
  /** Tells samples of one kind apart. */
  readonly name: string;
  /** Of the tenants that it is made for: names and hosts derive from it. */
  readonly product: Product;
  readonly tier?: string | null | undefined;
  readonly steps: (request: BlueprintRequest) => readonly Step[];
  /** Fields of the spec that may hold anything (an environment): all others are the cell's or the tenant's, where they name either. */
  readonly freeFields?: readonly string[] | undefined;
  /** The step with another spec under the same name, to which what was made can be brought. */
  readonly revised?: ((step: Step) => Step) | undefined;
  /** What somebody could do to the thing by hand: `ensure` puts it right, or a look tells of it. */
  readonly handChanges?: readonly HandChange[] | undefined;
  /** What is made holds a tenant's data: then the kind must say so (`holdsData`). */
  readonly holdsData?: true | undefined;
  /** Actions without any idempotency (`ecs:RegisterTaskDefinition`): one whose effect is seen late makes one thing more, which must go too. */
  readonly mayMakeTwice?: readonly string[] | undefined;
}

/** A change that is made past Tenantry. */
export interface HandChange {
  readonly name: string;
  readonly change: (at: HandPlace) => Promise<unknown>;
  /** Where `ensure` cannot put it right: takes the change back. A look must tell of it before. */
  readonly takeBack?: ((at: HandPlace) => Promise<unknown>) | undefined;
}

/** What somebody has in hands who changes a step's thing. */
export interface HandPlace {
  readonly endpointUrl: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly cell: Cell;
  readonly aws: CellAws;
  /** The tenants' database, as superuser. */
  readonly databaseUrl: string;
  readonly host: string | undefined;
  /** Of the step. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The step that a sample is about. @throws RangeError when it has none */
export function stepUnderTest(steps: readonly Step[]): Step {
  const last = steps.at(-1);
  if (!last) throw new RangeError('a sample has one step at least');
  return last;
}

/** A step of a product's blueprint with all that it needs, directly or not. */
export function sampleOf(product: Product, stepId: string, tier = product.tiers[0] ?? null): Sample {
  return {
    name: stepId,
    product,
    tier,
    steps: (request) => withNeeds(product.resolve({ ...request, tier }).steps, stepId),
  };
}

function withNeeds(steps: readonly Step[], stepId: string): Step[] {
  const chosen: Step[] = [];
  const visit = (id: string) => {
    const step = steps.find((s) => s.id === id);
    if (!step) throw new RangeError(`the blueprint has no step ${id}`);
    if (chosen.includes(step)) return;
    for (const need of [...step.needs, ...refsIn(step.spec).map(refStep)]) visit(need);
    chosen.push(step);
  };
  visit(stepId);
  const ids = new Set(chosen.map(({ id }) => id));
  return chosen.map(({ removeAfter, ...step }) => {
    const kept = (removeAfter ?? []).filter((id) => ids.has(id));
    return kept.length > 0 ? { ...step, removeAfter: kept } : step;
  });
}
