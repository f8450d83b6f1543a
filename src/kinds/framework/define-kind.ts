import { isAwsError } from '../../aws/errors.ts';
import type { Tags } from '../../aws/tags.ts';
import { describeHolder, findOwner, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { Difference } from '../../contracts/drift.ts';
import type { Outputs, Spec } from '../../contracts/kinds.ts';
import type { Residue } from '../../contracts/messages.ts';
import { StepError } from '../../contracts/step-error.ts';
import { shapeProblems, type Shape } from '../../shape-problems.ts';
import { changedFields, lostTags, missingData, missingThing, nameTaken } from './differences.ts';
import { refusalOf } from './foreign.ts';
import type { Kind, Observation, ResourceName, StepContext } from './kind.ts';
import type { OthersJudged } from './ownership.ts';
import type { SweptType } from './resource-type.ts';

/** A thing as a look by its name shows it. */
export interface Found {
  /** ARN, or what else tells it from another one of the name; undefined where its name alone does. */
  readonly physicalId: string | undefined;
  readonly tags: Tags;
  /** Where the API tells it. */
  readonly createdAt?: Date | undefined;
}

/** Whether a thing that is there is as it should be. */
export interface Status {
  /** `failed`: for good, whatever is waited for. */
  readonly status: 'pending' | 'ready' | 'failed';
  /** What was seen, for people. */
  readonly detail: string;
}

type Declared<S extends Spec, O extends Outputs> = Pick<
  Kind<S, O>,
  | 'name'
  | 'spec'
  | 'outputs'
  | 'inCell'
  | 'dataFields'
  | 'permissions'
  | 'limits'
  | 'profiles'
  | 'holdsData'
  | 'deletesByName'
  | 'loadBalancerShare'
  | 'changeable'
  | 'health'
  | 'calls'
  | 'residues'
  | 'dump'
  | 'dumpsOnly'
>;

/**
 * What is particular to a kind that makes one thing with tags. Every function gets what its step is about and is called with the
 * thing that `find` shows, which is the tenant's own by then; none of them has to look at marks, retries or late effects.
 */
export interface KindDefinition<S extends Spec, O extends Outputs, T extends string, F extends Found> extends Declared<
  S,
  O
> {
  /** `sqs:queue`: as in the ledger. */
  readonly type: T;
  /** For people: `queue`. */
  readonly noun: string;
  /** How the sweep lists it. */
  readonly swept: SweptType;
  /** What the spec names, before anything is accepted; what stands for it where the tenant's id makes the name. */
  readonly namedBy: (spec: S) => string;
  /** Its name, from the tenant and the spec; never from another step's output. */
  readonly nameOf: (context: StepContext<S, O>) => string;
  /** A string that changes with whatever `create` and `converge` read outside the spec. */
  readonly fingerprint?: (context: StepContext<S, O>) => string;
  /** Names of errors of its service, as the SDK has them. */
  readonly errors?: KindErrors | undefined;
  /** One look by the name. It may fail with one of `errors.missing`: then there is none. */
  readonly find: (context: StepContext<S, O>, name: string) => Promise<F | undefined>;
  /** Makes it, with `context.tags`. @throws StepError CONFLICT_RETRYABLE when it is there by now */
  readonly create: (context: StepContext<S, O>, name: string) => Promise<F>;
  /** Makes one that is there as the spec wants it, the one that was just made too: an attempt may have ended in between. */
  readonly converge?: (context: StepContext<S, O>, found: F) => Promise<void>;
  readonly outputsOf: (context: StepContext<S, O>, found: F) => O;
  /** Default: what is there is ready. */
  readonly status?: (context: StepContext<S, O>, found: F) => Promise<Status> | Status;
  /**
   * What sets it apart from the spec, field by field (its mark is the framework's); changes nothing. `converge` brings back what has the
   * remedy `repair`, which is the default. Absent: what `status` tells.
   */
  readonly differs?: (context: StepContext<S, O>, found: F) => Promise<readonly Difference[]> | readonly Difference[];
  /** Takes it away by its id (its name, where that is all there is); missing is done. It may be one that is not listed yet. */
  readonly remove: (context: StepContext<S, O>, physicalId: string) => Promise<RemoveOutcome | void>;
  /** The id that its outputs tell, for a removal right after it was made. */
  readonly idIn: (previous: Partial<O>) => string | undefined;
  /** Its outputs are known once it is ready: `outputsOf` is asked again then. */
  readonly outputsWhenReady?: true;
  /**
   * What is seen of it while it is to go. `pending`: it goes; `ready`: it stands, as if it had never been removed; `failed`: for good, and
   * the removal ends with STILL_PRESENT. Default: it stands.
   */
  readonly removalStatus?: (context: StepContext<S, O>, found: F) => Promise<Status> | Status;
}

/** What errors of a service mean that Tenantry cannot know. `Exception` at the end of a name does not matter. */
export interface KindErrors {
  /** Passing by themselves: the call is tried again. */
  readonly retryable?: readonly string[] | undefined;
  /** It is not there: nothing found, and a removal is done. */
  readonly missing?: readonly string[] | undefined;
}

/** What a removal answers when the thing does not go at once, or stays for a while. */
export interface RemoveOutcome {
  readonly isGoing?: boolean;
  readonly residues?: readonly Residue[];
}

/** A kind whose verbs are the framework's: it adopts what is the tenant's, refuses what is not, and judges what lost its mark. */
export function defineKind<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  given: KindDefinition<S, O, T, F>,
): Kind<S, O, T> {
  refuseIncomplete(given);
  const definition = given.errors ? withErrors(given, given.errors) : given;
  const { name, spec, outputs, type, swept, inCell, permissions, limits, holdsData, deletesByName } = definition;
  const { calls, changeable, health, loadBalancerShare, residues } = definition;
  const { dump, dumpsOnly, fingerprint, namedBy, profiles } = definition;
  // One property, whose name is the type's own.
  const types = { [type]: swept } as Kind<S, O, T>['types'];
  return {
    name,
    spec,
    outputs,
    types,
    inCell,
    ...(definition.dataFields && { dataFields: definition.dataFields }),
    permissions,
    limits,
    ...(profiles && { profiles }),
    ...(holdsData && { holdsData }),
    ...(dump && { dump }),
    ...(dumpsOnly !== undefined && { dumpsOnly }),
    ...(loadBalancerShare && { loadBalancerShare }),
    ...(changeable && { changeable }),
    ...(calls && { calls }),
    ...(residues && { residues }),
    ...(health && { health }),
    ...(deletesByName && { deletesByName }),
    physicalNames: (of) => [{ type, name: namedBy(of) }],
    resources: (context) => [{ type, name: definition.nameOf(context) }],
    ...(fingerprint && { fingerprint: (context: StepContext<S, O>) => Promise.resolve(fingerprint(context)) }),
    ensure: (context) => ensure(definition, context),
    observe: (context) => observe(definition, context),
    differs: (context) => differs(definition, context),
    remove: (context) => remove(definition, context),
  };
}

/** The same kind, whose functions fail as its errors are declared. */
function withErrors<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  definition: KindDefinition<S, O, T, F>,
  errors: KindErrors,
): KindDefinition<S, O, T, F> {
  const { find, create, converge, differs, remove, removalStatus, status } = definition;
  return {
    ...definition,
    find: (context, name) => unlessMissing(errors, () => find(context, name)),
    create: (context, name) => classed(errors, () => create(context, name)),
    remove: (context, physicalId) => unlessMissing(errors, () => remove(context, physicalId)),
    ...(converge && { converge: (context, found) => classed(errors, () => converge(context, found)) }),
    ...(status && { status: (context, found) => classed(errors, async () => status(context, found)) }),
    ...(differs && { differs: (context, found) => classed(errors, async () => differs(context, found)) }),
    ...(removalStatus && {
      removalStatus: (context, found) => classed(errors, async () => removalStatus(context, found)),
    }),
  };
}

function unlessMissing<R>(errors: KindErrors, call: () => Promise<R>): Promise<R | undefined> {
  return classed(errors, call).catch((error: unknown) => {
    if (isAwsError(error, ...(errors.missing ?? []))) return undefined;
    throw error;
  });
}

/** @throws StepError CONFLICT_RETRYABLE for an error that the kind declares retryable */
async function classed<R>({ retryable = [] }: KindErrors, call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof StepError) || !isAwsError(error, ...retryable)) throw error;
    throw new StepError('CONFLICT_RETRYABLE', error.message, { detail: error.detail, cause: error.cause });
  }
}

async function ensure<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  definition: KindDefinition<S, O, T, F>,
  context: StepContext<S, O>,
) {
  const { create, converge, find, nameOf, outputsOf, status, type } = definition;
  const name = nameOf(context);
  const found = await find(context, name);
  if (found && !isOwn(context, found)) throw await refusal(definition, context, name, found);
  const own = found ?? (await create(context, name));
  await converge?.(context, own);
  const seen = status && (await status(context, own));
  return {
    status: seen === undefined || seen.status === 'ready' ? ('ready' as const) : ('pending' as const),
    outputs: outputsOf(context, own),
    ...(own.physicalId !== undefined && { physicalIds: { [name]: own.physicalId } }),
    ...(!found && { anew: [{ type, name }] }),
    detail: seen?.detail,
  };
}

async function observe<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  { find, nameOf, noun, outputsOf, outputsWhenReady, removalStatus, status, type }: KindDefinition<S, O, T, F>,
  context: StepContext<S, O>,
): Promise<Observation> {
  const name = nameOf(context);
  const found = await find(context, name);
  const others = await othersIn(context, { type, name }, found);
  if (!found || others.count > 0) return { status: 'absent', detail: `no ${noun} ${name} of this tenant`, others };
  const standing = { status: 'ready', detail: `${noun} ${name} is there` } as const;
  if (context.removingAt !== undefined) {
    const seen = (await removalStatus?.(context, found)) ?? standing;
    if (seen.status === 'failed')
      throw new StepError('STILL_PRESENT', `${noun} ${name} cannot be removed`, { detail: seen.detail });
    return seen;
  }
  const seen = (await status?.(context, found)) ?? standing;
  return seen.status === 'ready' && outputsWhenReady ? { ...seen, outputs: outputsOf(context, found) } : seen;
}

async function differs<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  definition: KindDefinition<S, O, T, F>,
  context: StepContext<S, O>,
): Promise<readonly Difference[]> {
  const { find, holdsData, idIn, nameOf, status, swept, type } = definition;
  const name = nameOf(context);
  const found = await find(context, name);
  if (!found) return [holdsData ? missingData(type, name) : missingThing(type, name)];
  const lost = lostTags(context.tags, found.tags);
  if (!isOwn(context, found)) {
    const known = swept.hasUniqueIds ? idIn(context.previous) : undefined;
    return known === undefined || known === found.physicalId ? lost : [nameTaken(type, name, found.tags)];
  }
  if (definition.differs) return [...lost, ...(await definition.differs(context, found))];
  const seen = await status?.(context, found);
  const isReady = seen === undefined || seen.status === 'ready';
  return [...lost, ...(isReady ? [] : changedFields({ state: ['ready', seen.detail] }))];
}

async function remove<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  definition: KindDefinition<S, O, T, F>,
  context: StepContext<S, O>,
) {
  const { find, idIn, nameOf, swept, type } = definition;
  const name = nameOf(context);
  const found = await find(context, name);
  const others = await othersIn(context, { type, name }, found);
  // Right after it was made a look by name may not show it. Where no id is given twice, another one of the name is not hit by that.
  const known = !found || swept.hasUniqueIds ? idIn(context.previous) : undefined;
  const id = found && others.count === 0 ? (found.physicalId ?? name) : known;
  const outcome = id === undefined ? undefined : await definition.remove(context, id);
  // What says that it took something away is not believed: the executor looks until it is gone.
  const isLeft = id !== undefined && !outcome?.isGoing && (await isStillThere(definition, context, name, id));
  return {
    status: outcome?.isGoing || isLeft ? ('pending' as const) : ('removed' as const),
    others,
    residues: outcome?.residues,
    ...(!found && id === undefined && { missing: true }),
  };
}

async function isStillThere<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  { find }: KindDefinition<S, O, T, F>,
  context: StepContext<S, O>,
  name: string,
  id: string,
): Promise<boolean> {
  const found = await find(context, name);
  return found !== undefined && isOwn(context, found) && (found.physicalId ?? name) === id;
}

const shape: Shape = {
  ...{ name: 'string', type: 'string', noun: 'string', spec: 'object', outputs: 'object', swept: 'object' },
  ...{ inCell: 'function', namedBy: 'function', nameOf: 'function', find: 'function', create: 'function' },
  ...{ outputsOf: 'function', idIn: 'function', remove: 'function', permissions: 'list' },
  ...{
    converge: 'function?',
    status: 'function?',
    differs: 'function?',
    removalStatus: 'function?',
    fingerprint: 'function?',
    profiles: 'function?',
    errors: 'object?',
  },
  ...{
    limits: 'object?',
    loadBalancerShare: 'object?',
    changeable: 'list?',
    dataFields: 'list?',
    health: 'object?',
    calls: 'object?',
    residues: 'list?',
    dump: 'function?',
    dumpsOnly: 'string?',
  },
  ...{ holdsData: 'boolean?', deletesByName: 'boolean?', outputsWhenReady: 'boolean?' },
};

/** For those who write without types. @throws RangeError naming the kind and every field that is missing, and that there is none of */
function refuseIncomplete(given: { readonly name?: unknown } | undefined): void {
  const problems = shapeProblems(given, shape);
  if (problems.length > 0) throw new RangeError(`kind "${String(given?.name)}" ${problems.join('; ')}`);
}

function isOwn<S extends Spec, O extends Outputs>({ tags }: StepContext<S, O>, found: Found): boolean {
  return isOwnedBy(found.tags, ownerOf(tags));
}

function refusal<S extends Spec, O extends Outputs, T extends string, F extends Found>(
  { noun, type }: KindDefinition<S, O, T, F>,
  context: StepContext<S, O>,
  name: string,
  { physicalId, tags }: Found,
) {
  return refusalOf(context, {
    resource: { type, name },
    message: `${noun} "${name}" is somebody else's`,
    detail: `${physicalId ?? name}: ${describeHolder(tags)}`,
    owner: findOwner(tags),
  });
}

function othersIn<S extends Spec, O extends Outputs>(
  context: StepContext<S, O>,
  resource: ResourceName,
  found: Found | undefined,
): Promise<OthersJudged> {
  if (!found || isOwn(context, found)) return context.notOurs([]);
  const { physicalId, createdAt, tags } = found;
  return context.notOurs([
    { ...resource, physicalId: physicalId ?? resource.name, createdAt, mark: describeHolder(tags) },
  ]);
}
