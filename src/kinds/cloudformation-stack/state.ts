import type { Stack } from '../../aws/cloudformation.ts';
import { contentHash } from '../../naming.ts';
import type { Status } from '../framework/define-kind.ts';
import { parametersOf, specTags, type FoundStack, type StackContext } from './spec.ts';

/** What can be done with a stack, by its status. */
export type StackState =
  /** An operation goes on, a deletion excepted. */
  | 'in progress'
  | 'going'
  /** It can be changed. */
  | 'stable'
  /** Its creation failed: AWS lets it be deleted, and nothing else. */
  | 'never made'
  /** AWS does not go on by itself, and Tenantry leaves it to people: what it holds may be a tenant's. */
  | 'broken';

const stable = [
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
];
const neverMade = ['CREATE_FAILED', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'];

export function stateOf({ status }: Pick<Stack, 'status'>): StackState {
  if (status === 'DELETE_IN_PROGRESS') return 'going';
  // All but the deletion of what an update left behind is done.
  if (status.endsWith('_IN_PROGRESS')) return 'in progress';
  if (stable.includes(status)) return 'stable';
  return neverMade.includes(status) ? 'never made' : 'broken';
}

/** What hides the value of a parameter (`NoEcho`). */
export const HIDDEN = '****';

/** Whether the stack is what the spec asks for, as far as one look tells; its template is not read. */
export function isAsWanted({ spec }: Pick<StackContext, 'spec'>, { parameters, tags }: FoundStack): boolean {
  const given = Object.entries(parametersOf(spec));
  const differs = given.some(([name, value]) => parameters[name] !== value && parameters[name] !== HIDDEN);
  return !differs && Object.entries(specTags(spec)).every(([key, value]) => tags[key] === value);
}

/** Requirement R-CFN-10: so much of what failed is told. */
const TOLD_CHARACTERS = 1_000;

/** Whether it is as the spec wants it. A failure is told with the events of what failed. */
export async function stackStatus(context: StackContext, found: FoundStack): Promise<Status> {
  const state = stateOf(found);
  const seen = describeStatus(found);
  if (state === 'going') return { status: 'pending', detail: seen };
  if (state === 'in progress') return { status: 'pending', detail: await progressDetail(context, found) };
  if (state === 'stable' && isAsWanted(context, found)) return { status: 'ready', detail: seen };
  if (state === 'stable' && found.status !== 'UPDATE_ROLLBACK_COMPLETE')
    return { status: 'pending', detail: `${seen}, and not yet as its step wants it` };
  return { status: 'failed', detail: await failureDetail(context, found) };
}

/** What it waits for: the last thing that is told of one that runs out of time. */
async function progressDetail({ aws }: Pick<StackContext, 'aws'>, found: FoundStack): Promise<string> {
  const { failures, inProgress } = await aws.stacks.readLastOperation(found.id);
  const waits = inProgress.length === 0 ? [] : [`waits for ${inProgress.join(', ')}`];
  return [describeStatus(found), ...failures, ...waits].join('; ').slice(0, TOLD_CHARACTERS);
}

/** Status, reason, and which resources failed and why. */
export async function failureDetail({ aws }: Pick<StackContext, 'aws'>, found: FoundStack): Promise<string> {
  const { failures } = await aws.stacks.readLastOperation(found.id);
  return [describeStatus(found), ...failures].join('; ').slice(0, TOLD_CHARACTERS);
}

function describeStatus({ reason, status }: FoundStack): string {
  return reason === undefined || reason === 'User Initiated' ? status : `${status}: ${reason.trim()}`;
}

type Purpose = 'create' | 'change' | 'remove';

/** Token of a request of this generation (design rule 11). What it is about tells requests of one generation apart. */
export function stackToken(context: TokenContext, purpose: Purpose, about: string): string {
  return `${generationToken(context, purpose)}-${contentHash(about).slice(0, 8)}`;
}

/** Whether an operation was asked for by this generation of the step. */
export function isOwnToken(context: TokenContext, purpose: Purpose, seen: string | undefined): boolean {
  return seen?.startsWith(`${generationToken(context, purpose)}-`) === true;
}

type TokenContext = Pick<StackContext, 'token' | 'goesBack'>;

/** The way back is of the generation of the way forward. */
function generationToken({ goesBack, token }: TokenContext, purpose: Purpose): string {
  return token(goesBack ? `${purpose} back` : purpose);
}
