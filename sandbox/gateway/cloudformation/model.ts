import type { Scope } from '../request.ts';
import type { Template, Value } from './template.ts';

export type StackStatus =
  | `${'CREATE' | 'DELETE' | 'ROLLBACK' | 'UPDATE' | 'UPDATE_ROLLBACK'}_${'IN_PROGRESS' | 'COMPLETE' | 'FAILED'}`
  | `${'UPDATE' | 'UPDATE_ROLLBACK'}_COMPLETE_CLEANUP_IN_PROGRESS`;

export type ResourceStatus =
  `${'CREATE' | 'UPDATE' | 'DELETE'}_${'IN_PROGRESS' | 'COMPLETE' | 'FAILED'}` | 'DELETE_SKIPPED';

export type Tags = Readonly<Record<string, string>>;
export type Properties = Readonly<Record<string, Value>>;

/** What a resource is once it was made: its id, and what `Fn::GetAtt` answers. */
export interface Made {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface StackResource extends Partial<Made> {
  readonly logicalId: string;
  readonly type: string;
  /** As they were resolved when it was made or changed last. */
  properties: Properties;
  /** Of the stack then: they are on the resource, too. */
  tags: Tags;
  physicalId?: string;
  attributes?: Made['attributes'];
  /** `Retain`, `RetainExceptOnCreate`: it outlives the stack. */
  deletionPolicy: string;
  status: ResourceStatus;
  reason: string | undefined;
  updatedAt: Date;
}

export interface StackEvent {
  readonly id: string;
  readonly at: Date;
  readonly logicalId: string;
  readonly physicalId: string | undefined;
  readonly type: string;
  readonly status: StackStatus | ResourceStatus;
  readonly reason: string | undefined;
  readonly token: string | undefined;
}

/** What a creation or an update asks for, read and checked. */
export interface Wish {
  readonly body: string;
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Tags;
  readonly capabilities: readonly string[];
  readonly roleArn: string | undefined;
}

export interface Output {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
}

export interface Stack {
  readonly scope: Scope;
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly creationToken: string | undefined;
  readonly onFailure: 'DO_NOTHING' | 'ROLLBACK' | 'DELETE';
  readonly timeoutMinutes: number | undefined;
  wish: Wish;
  terminationProtection: boolean;
  status: StackStatus;
  reason: string | undefined;
  updatedAt: Date | undefined;
  deletedAt: Date | undefined;
  outputs: readonly Output[];
  readonly resources: Map<string, StackResource>;
  /** Newest first. */
  readonly events: StackEvent[];
  readonly changeSets: Map<string, ChangeSet>;
}

export interface Change {
  readonly action: 'Add' | 'Modify' | 'Remove';
  readonly logicalId: string;
  readonly physicalId: string | undefined;
  readonly type: string;
  readonly replacement: 'True' | 'False' | 'Conditional' | undefined;
  /** Names of the properties that change. */
  readonly properties: readonly { readonly name: string; readonly recreates: 'Never' | 'Conditionally' | 'Always' }[];
  readonly changesTags: boolean;
}

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly token: string | undefined;
  readonly createdAt: Date;
  readonly wish: Wish;
  readonly description: string | undefined;
  status: 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED';
  reason: string | undefined;
  execution: 'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_IN_PROGRESS' | 'EXECUTE_COMPLETE' | 'EXECUTE_FAILED' | 'OBSOLETE';
  changes: readonly Change[];
}
