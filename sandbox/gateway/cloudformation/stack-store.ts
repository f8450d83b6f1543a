import { randomUUID } from 'node:crypto';
import { AwsError } from '../answer.ts';
import { scopeKey, type Scope } from '../request.ts';
import { invalid } from './input.ts';
import type { Stack } from './model.ts';

/** Stacks of all accounts and regions; deleted ones are found by their id, as AWS has them for 90 days. */
export class StackStore {
  readonly #stacks: Stack[] = [];

  all(): readonly Stack[] {
    return this.#stacks;
  }

  /** Oldest first. */
  of(scope: Scope): Stack[] {
    return this.#stacks.filter((stack) => scopeKey(stack.scope) === scopeKey(scope));
  }

  /** By name those that are not deleted, by id any. */
  find(scope: Scope, nameOrId: string): Stack | undefined {
    return this.of(scope).find(
      ({ deletedAt, id, name }) => id === nameOrId || (name === nameOrId && deletedAt === undefined),
    );
  }

  /** @throws AwsError ValidationError */
  get(scope: Scope, nameOrId: string): Stack {
    const stack = this.find(scope, nameOrId);
    if (!stack) throw invalid(`Stack with id ${nameOrId} does not exist`);
    return stack;
  }

  /** The one that this token made already. @throws AwsError TokenAlreadyExistsException, AlreadyExistsException */
  replayed(scope: Scope, name: string, token: string | undefined): Stack | undefined {
    const existing = this.find(scope, name);
    const made = token === undefined ? undefined : this.of(scope).find(({ creationToken }) => creationToken === token);
    if (made && made === existing) return made;
    if (existing) throw new AwsError('AlreadyExistsException', `Stack [${name}] already exists`);
    // AWS tells a repeated request by its token: what it does with one whose stack is gone is not told, so it is refused.
    if (made) throw new AwsError('TokenAlreadyExistsException', 'A client request token already exists.');
    return undefined;
  }

  add(given: Omit<Stack, 'id' | 'createdAt' | 'resources' | 'events' | 'changeSets' | 'outputs' | 'status'>): Stack {
    const { accountId, region } = given.scope;
    const stack: Stack = {
      ...given,
      ...{ createdAt: new Date(), resources: new Map(), events: [], changeSets: new Map(), outputs: [] },
      status: 'CREATE_IN_PROGRESS',
      id: `arn:aws:cloudformation:${region}:${accountId}:stack/${given.name}/${randomUUID()}`,
    };
    this.#stacks.push(stack);
    return stack;
  }
}
