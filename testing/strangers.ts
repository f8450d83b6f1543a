import { randomUUID } from 'node:crypto';
import { inCallContext } from '../src/aws/call-context.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../src/aws/tags.ts';
import { StepError } from '../src/contracts/step-error.ts';
import type { Kind, StepContext } from '../src/kinds/framework/kind.ts';

/** Somebody else's mark on the things of a step: names stay, as far as they do not come from what is changed. */
export interface Stranger {
  readonly name: string;
  readonly contextOf: (context: StepContext) => StepContext;
}

/** Tags are the mark of most things; markers beside a thing, and comments, are written from the ids themselves. */
export const strangers: readonly Stranger[] = [
  { name: "another installation's, by its tags", contextOf: (c) => withTags(c, INSTALLATION_TAG) },
  { name: "another tenant's, by its tags", contextOf: (c) => withTags(c, TENANT_TAG) },
  { name: "another installation's, by its marker", contextOf: (c) => ({ ...c, installationId: randomUUID() }) },
  { name: "another tenant's, by its marker", contextOf: (c) => ({ ...c, tenant: { ...c.tenant, id: randomUUID() } }) },
];

function withTags(context: StepContext, tag: string): StepContext {
  return { ...context, tags: { ...context.tags, [tag]: randomUUID() } };
}

/** Whether any of the step's names is the stranger's as well. */
export function sharesNames(kind: Kind, context: StepContext, { contextOf }: Stranger): boolean {
  const keyOf = ({ type, name }: { readonly type: string; readonly name: string }) => `${type} ${name}`;
  const own = new Set(kind.resources(context).map(keyOf));
  return kind.resources(contextOf(context)).some((resource) => own.has(keyOf(resource)));
}

export const PLANTED = 'somebody else was here first';

/** A kind whose `ensure` makes the thing as the stranger would, past the ledger, and fails for good: the tenant has made nothing. */
export function planting(kind: Kind, stranger: Stranger): Kind {
  return {
    ...kind,
    ensure: async (context) => {
      const theirs = { ...stranger.contextOf(context), guard: nothing, made: nothing, gone: nothing };
      const call = { beforeMutation: nothing, signal: context.signal };
      if (sharesNames(kind, context, stranger)) await inCallContext(call, () => kind.ensure(theirs));
      throw new StepError('INVALID_REQUEST', PLANTED);
    },
  };
}

/** A kind to which the things that it finds are not the tenant's any more: the mark that it looks for is the stranger's. */
export function blindedTo(kind: Kind, stranger: Stranger): Kind {
  return {
    ...kind,
    observe: (context) => kind.observe(stranger.contextOf(context)),
    remove: (context) => {
      if (!sharesNames(kind, context, stranger)) throw new StepError('INVALID_REQUEST', PLANTED);
      return kind.remove(stranger.contextOf(context));
    },
  };
}

const nothing = () => Promise.resolve();
