import type { Caller } from '../contracts/caller.ts';
import type { WorkersView } from './views.ts';

/** A key that a caller gave a request, under which it is carried out once. */
export interface RequestKey {
  /** 1 to 255 characters. */
  readonly key: string;
  /** Of all that the request says: one that says something else has another. */
  readonly requestHash: string;
  /** Told of what is kept of the answer besides its outcome: a repeat is given the same. */
  readonly onKept: (kept: KeptAnswer) => void;
}

export interface KeptAnswer {
  /** As they were seen when the outcome was stored. */
  readonly workers: WorkersView;
  /** The outcome is that of an earlier time. */
  readonly isReplayed: boolean;
}

/** Who asks, and under which key; the key is stored nowhere with what it changes. */
export interface KeyedCaller extends Caller {
  /** What is asked for, for the audit: the id of the operation in the description of the API. */
  readonly action?: string | undefined;
  readonly requestKey?: RequestKey | undefined;
}
