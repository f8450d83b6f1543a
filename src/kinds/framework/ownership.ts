import type { Tags } from '../../aws/tags.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { MadeResource } from '../../db/ledger.ts';
import { markerOfTags } from '../../naming.ts';
import type { ResourceName } from './kind.ts';
import type { Marking } from './resource-type.ts';

/** Something that is there under a name of the step and does not carry this tenant's mark. */
export interface NotOurs extends ResourceName {
  /** ARN, or what else tells it from another one of the name. */
  readonly physicalId: string;
  /** Where the API tells it. */
  readonly createdAt?: Date | undefined;
  /** What it carries instead, a clause: `it carries no ownership mark of Tenantry`. */
  readonly mark: string;
}

/**
 * That all that a kind saw under its names without this tenant's mark was judged. A kind gets one from `context.notOurs` only, and
 * cannot say `removed` or `absent` without it.
 */
export class OthersJudged {
  readonly #others: readonly NotOurs[];
  constructor(others: readonly NotOurs[]) {
    this.#others = others;
  }
  get count(): number {
    return this.#others.length;
  }
}

/** AWS's clock and the database's may differ by so much, in ms: more makes every signed request fail. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * The one policy on lost ownership: what the ledger holds as made and carries no mark of this tenant now is not gone. Somebody
 * else's at a name where we made nothing for sure, or that is another thing than the one we made, is not ours. Pure.
 */
export function lostOf(others: readonly NotOurs[], made: readonly MadeResource[]): NotOurs[] {
  return others.filter((other) =>
    made.some((row) => row.type === other.type && row.name === other.name && isSame(row, other)),
  );
}

/**
 * A physical id that we never made, or a creation after ours, shows that ours is gone and this is another one. In doubt it is the
 * same.
 */
function isSame({ physicalId, earlierIds, madeAt }: MadeResource, other: NotOurs): boolean {
  const ids = physicalId === null ? [] : [physicalId, ...earlierIds];
  if (ids.length > 0 && !ids.includes(other.physicalId)) return false;
  return other.createdAt === undefined || other.createdAt.getTime() <= madeAt.getTime() + CLOCK_SKEW_MS;
}

interface StepMarks {
  readonly stepId: string;
  readonly isRemoving: boolean;
  readonly tags: Tags;
  /** Of the step's kind. */
  readonly types: Readonly<Record<string, Marking>>;
}

/** @throws StepError STILL_PRESENT while a step is being removed, OWNERSHIP_CONFLICT while it is being made */
export function refuseLost(lost: readonly NotOurs[], step: StepMarks): void {
  const [first] = lost;
  if (!first) return;
  const names = lost.map(({ type, name }) => `${type} ${name}`).join(', ');
  const detail = lost.map((thing) => describe(thing, step)).join('; ');
  const message = `${names} of step "${step.stepId}" is there and does not carry its tenant's mark any more`;
  if (!step.isRemoving) throw new StepError('OWNERSHIP_CONFLICT', message, { detail });
  throw new StepError('STILL_PRESENT', message, {
    detail: `${detail}. It is left untouched: put its mark back or delete it by hand, then retry; when it is somebody else's now, abandon the operation`,
  });
}

function describe({ type, name, physicalId, mark }: NotOurs, { tags, types }: StepMarks): string {
  const thing = `${type} ${physicalId === name ? name : `${name} (${physicalId})`}`;
  return `${thing}: ${mark}; its mark is ${markOf(types[type], name, tags)}`;
}

/** How this tenant's mark is written on a thing of a type. */
function markOf(type: Marking | undefined, name: string, tags: Tags): string {
  const asTags = [INSTALLATION_TAG, TENANT_TAG].map((tag) => `the tag ${tag}=${tags[tag] ?? ''}`).join(' and ');
  return type?.markOf?.(name, markerOfTags(tags)) ?? asTags;
}
