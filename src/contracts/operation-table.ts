import type { ClosedOperationState, OperationState } from './operation-state.ts';
import type { TenantStatus } from './tenant-status.ts';

export const operationTypes = [
  'provision',
  'update',
  'suspend',
  'resume',
  'rotate',
  'migrate',
  'repair',
  'deprovision',
] as const;
export type OperationType = (typeof operationTypes)[number];

/** A tenant's status after a success, and how a workflow says that it had one. */
export type SuccessStatus = Extract<TenantStatus, 'active' | 'suspended' | 'deleted'>;

/** What a type of operation means. Code asks for one of these properties, never for the type (test/unit/contracts/operation-table.test.ts). */
export interface OperationRules {
  readonly workflowType: `Tenant${string}`;
  /** The request of the API and the command that asks for it. */
  readonly askedBy: 'create' | 'change' | 'suspend' | 'resume' | 'rotate' | 'migrate' | 'repair' | 'delete';
  /** What it walks to: the blueprint that it carries, the one that is applied (it carries a copy), step by step, or nothing. */
  readonly target: 'desired' | 'applied' | 'nothing';
  /** What a failed one walks back to: the applied blueprint, or nothing while none is applied. `none`: it is finished or stuck. */
  readonly undo: 'to-applied' | 'none';
  /** What it neither makes nor changes is brought to what was applied, too: much may have happened since. */
  readonly restoresKept?: true;
  /** Its commit gives the tenant the tier of its blueprint. */
  readonly changesTier?: true;
  /** The tenant begins with it: one that never began leaves no tenant. */
  readonly createsTenant: boolean;
  /** Asked for while another one is stuck, it takes over from that. */
  readonly takesOverStuck: boolean;
  readonly tenantStatus: {
    /** Where it is accepted while no operation is open. None: it creates its tenant. */
    readonly acceptedFrom: readonly TenantStatus[];
    readonly claimed: TenantStatus;
    readonly succeeded: SuccessStatus;
    readonly stuck: TenantStatus;
    /** While a `retry` removes what is left. */
    readonly retried: TenantStatus;
    /** At an end without success, by the status before; what is not named stays. */
    readonly undone: Readonly<Partial<Record<TenantStatus, TenantStatus>>>;
  };
  /** States in which its steps may be made. */
  readonly makesIn: readonly OperationState[];
  /**
   * The state in which it removes steps; a `retry` of a stuck one enters it again, but where it has passed its point of no
   * return ({@link removingStateOf}).
   */
  readonly removesIn: 'rolling-back' | 'committing';
  /** States in which `cancel` applies; none: it cannot be cancelled, but for a grace period. */
  readonly cancellableIn: readonly OperationState[];
  /** It may wait for the end of a grace period before it begins, and is cancelled only meanwhile. */
  readonly hasGrace: boolean;
  /** What makes it succeed: its step `finalize`, in the transaction of its result, or its close. */
  readonly succeedsBy: 'finalize' | 'close';
  /** Ends that say that all is gone: refused while the ledger holds anything that is not removed. */
  readonly emptyLedgerAt: readonly ClosedOperationState[];
  /**
   * May remove what holds the data of a tenant that was ever active: all of it, or, where it walks to a blueprint, what it brought
   * elsewhere before its commit, and what it made itself.
   */
  readonly dropsData: boolean;
  readonly words: {
    /** With its article. */
    readonly noun: string;
    /** What a rollback leaves, a clause; none: it is never rolled back. */
    readonly rolledBackTo?: string;
    /** How a `retry` of a stuck one ends: completes "tries again to remove what is left, ...". */
    readonly retried: string;
    /** What each end means, for people. */
    readonly ended: Readonly<Record<ClosedOperationState, string>>;
    /** One that was abandoned past its point of no return ({@link isMadeTrue}). */
    readonly abandonedWhenTrue?: string;
  };
}

const closedByOperator = 'an operator closed it unfinished';

/** What every walk of a whole tenant to another blueprint has in common. */
const change = {
  target: 'desired',
  undo: 'to-applied',
  createsTenant: false,
  takesOverStuck: false,
  makesIn: ['running', 'holding'],
  removesIn: 'rolling-back',
  cancellableIn: ['accepted', 'running', 'holding'],
  hasGrace: false,
  succeedsBy: 'close',
  emptyLedgerAt: [],
  dropsData: false,
} as const satisfies Partial<OperationRules>;

/** Of what an active tenant stays active by. */
const updating = {
  acceptedFrom: ['active'],
  claimed: 'updating',
  succeeded: 'active',
  stuck: 'updating',
  retried: 'updating',
  undone: { updating: 'active' },
} as const satisfies OperationRules['tenantStatus'];

export const operationTable: Readonly<Record<OperationType, OperationRules>> = {
  provision: {
    workflowType: 'TenantProvisioning',
    askedBy: 'create',
    target: 'desired',
    undo: 'to-applied',
    createsTenant: true,
    takesOverStuck: false,
    tenantStatus: {
      acceptedFrom: [],
      claimed: 'validating',
      succeeded: 'active',
      stuck: 'failed',
      retried: 'creating',
      undone: { pending: 'deleted', validating: 'failed', creating: 'failed' },
    },
    makesIn: ['running', 'holding', 'committing'],
    removesIn: 'rolling-back',
    cancellableIn: ['accepted', 'running', 'holding'],
    hasGrace: false,
    succeedsBy: 'finalize',
    emptyLedgerAt: ['rolled-back', 'cancelled'],
    dropsData: false,
    words: {
      noun: 'a provisioning',
      rolledBackTo: 'everything that it created is removed',
      retried: 'and ends rolled back',
      ended: {
        succeeded: 'created',
        'rolled-back': 'the creation failed and was rolled back',
        cancelled: 'the creation was cancelled on request and rolled back, which is no fault',
        abandoned: `the creation could not be rolled back and ${closedByOperator}`,
        superseded: 'the creation could not be rolled back, and a deletion took over',
        withdrawn: 'the creation could not be started and was withdrawn',
      },
    },
  },
  update: {
    workflowType: 'TenantUpdate',
    askedBy: 'change',
    ...change,
    tenantStatus: updating,
    words: {
      noun: 'an update',
      rolledBackTo: 'the tenant gets back the images, sizes and counts that it had before',
      retried: 'and goes on where it stopped',
      ended: {
        succeeded: 'updated',
        'rolled-back': 'the update failed, and the tenant is as it was before',
        cancelled: 'the update was cancelled on request, and the tenant is as it was before',
        abandoned: `the update could not be taken back and ${closedByOperator}`,
        superseded: 'the update could not be finished, and a deletion took over',
        withdrawn: 'the update could not be started and was withdrawn',
      },
      abandonedWhenTrue: `updated, but what it no longer needs could not be removed and ${closedByOperator}`,
    },
  },
  suspend: {
    workflowType: 'TenantSuspension',
    askedBy: 'suspend',
    ...change,
    tenantStatus: {
      acceptedFrom: ['active'],
      claimed: 'suspending',
      succeeded: 'suspended',
      stuck: 'suspending',
      retried: 'suspending',
      undone: { suspending: 'active' },
    },
    words: {
      noun: 'a suspension',
      rolledBackTo: 'the tenant is active again, as before',
      retried: 'and goes on where it stopped',
      ended: {
        succeeded: 'suspended',
        'rolled-back': 'the suspension failed, and the tenant is active as before',
        cancelled: 'the suspension was cancelled on request, and the tenant is active as before',
        abandoned: `the suspension could not be taken back and ${closedByOperator}`,
        superseded: 'the suspension could not be finished, and a deletion took over',
        withdrawn: 'the suspension could not be started and was withdrawn',
      },
      abandonedWhenTrue: `suspended, but what it no longer needs could not be removed and ${closedByOperator}`,
    },
  },
  resume: {
    workflowType: 'TenantResumption',
    askedBy: 'resume',
    ...change,
    restoresKept: true,
    tenantStatus: {
      acceptedFrom: ['suspended'],
      claimed: 'resuming',
      succeeded: 'active',
      stuck: 'resuming',
      retried: 'resuming',
      undone: { resuming: 'suspended' },
    },
    words: {
      noun: 'a resumption',
      rolledBackTo: 'the tenant stays suspended, as before',
      retried: 'and goes on where it stopped',
      ended: {
        succeeded: 'resumed',
        'rolled-back': 'the resumption failed, and the tenant is suspended as before',
        cancelled: 'the resumption was cancelled on request, and the tenant is suspended as before',
        abandoned: `the resumption could not be taken back and ${closedByOperator}`,
        superseded: 'the resumption could not be finished, and a deletion took over',
        withdrawn: 'the resumption could not be started and was withdrawn',
      },
      abandonedWhenTrue: `resumed, but what it no longer needs could not be removed and ${closedByOperator}`,
    },
  },
  rotate: {
    workflowType: 'TenantRotation',
    askedBy: 'rotate',
    ...change,
    tenantStatus: updating,
    words: {
      noun: 'a rotation',
      rolledBackTo: 'the tenant uses the credentials that it had before',
      retried: 'and goes on where it stopped',
      ended: {
        succeeded: 'its credentials were rotated',
        'rolled-back': 'the rotation failed, and the tenant uses the credentials that it had before',
        cancelled: 'the rotation was cancelled on request, and the tenant uses the credentials that it had before',
        abandoned: `the rotation could not be taken back and ${closedByOperator}`,
        superseded: 'the rotation could not be finished, and a deletion took over',
        withdrawn: 'the rotation could not be started and was withdrawn',
      },
      abandonedWhenTrue: `its credentials were rotated, but what it no longer needs could not be removed and ${closedByOperator}`,
    },
  },
  migrate: {
    workflowType: 'TenantMigration',
    askedBy: 'migrate',
    ...change,
    changesTier: true,
    dropsData: true,
    tenantStatus: {
      acceptedFrom: ['active'],
      claimed: 'migrating',
      succeeded: 'active',
      stuck: 'migrating',
      retried: 'migrating',
      undone: { migrating: 'active' },
    },
    words: {
      noun: 'a change of tier',
      rolledBackTo: 'the tenant stays in the tier that it was in, as before',
      retried: 'and goes on where it stopped',
      ended: {
        succeeded: 'its tier was changed',
        'rolled-back': 'the change of tier failed, and the tenant is in its tier as before',
        cancelled: 'the change of tier was cancelled on request, and the tenant is in its tier as before',
        abandoned: `the change of tier could not be taken back and ${closedByOperator}`,
        superseded: 'the change of tier could not be finished, and a deletion took over',
        withdrawn: 'the change of tier could not be started and was withdrawn',
      },
      abandonedWhenTrue: `its tier was changed, but what it no longer needs could not be removed and ${closedByOperator}`,
    },
  },
  repair: {
    workflowType: 'TenantRepair',
    askedBy: 'repair',
    target: 'applied',
    undo: 'none',
    createsTenant: false,
    takesOverStuck: false,
    tenantStatus: updating,
    makesIn: [],
    removesIn: 'committing',
    cancellableIn: [],
    hasGrace: false,
    succeedsBy: 'close',
    emptyLedgerAt: [],
    dropsData: false,
    words: {
      noun: 'a repair',
      retried: 'and goes on where it stopped',
      ended: {
        succeeded: 'repaired',
        'rolled-back': 'the repair was rolled back',
        cancelled: 'the repair was cancelled',
        abandoned: `the repair could not be finished and ${closedByOperator}`,
        superseded: 'the repair could not be finished, and a deletion took over',
        withdrawn: 'the repair could not be started and was withdrawn',
      },
    },
  },
  deprovision: {
    workflowType: 'TenantDeprovisioning',
    askedBy: 'delete',
    target: 'nothing',
    undo: 'none',
    createsTenant: false,
    takesOverStuck: true,
    tenantStatus: {
      // `deleting` without an open operation: its deprovisioning was abandoned.
      acceptedFrom: ['active', 'suspended', 'failed', 'deleting'],
      claimed: 'deleting',
      succeeded: 'deleted',
      stuck: 'deleting',
      retried: 'deleting',
      undone: {},
    },
    makesIn: [],
    removesIn: 'committing',
    cancellableIn: [],
    hasGrace: true,
    succeedsBy: 'close',
    emptyLedgerAt: ['succeeded'],
    dropsData: true,
    words: {
      noun: 'a deprovisioning',
      retried: 'and ends with the tenant deleted',
      ended: {
        succeeded: 'deleted',
        'rolled-back': 'the deletion was rolled back',
        cancelled: 'the deletion was cancelled in its grace period, and the tenant is as it was before',
        abandoned: `the deletion could not be finished and ${closedByOperator}`,
        superseded: 'the deletion could not be finished, and another took over',
        withdrawn: 'the deletion could not be started and was withdrawn',
      },
    },
  },
};

/** The type whose runs are of this workflow type; undefined when none is. */
export function operationTypeOf(workflowType: string): OperationType | undefined {
  return operationTypes.find((type) => operationTable[type].workflowType === workflowType);
}

/** The type that a request asks for. */
export function operationTypeAskedBy(request: OperationRules['askedBy']): OperationType {
  const found = operationTypes.find((type) => operationTable[type].askedBy === request);
  if (found === undefined) throw new RangeError(`no type of operation is asked for by ${request}`);
  return found;
}

/**
 * States in which an operation of this type may make and change steps; on the way back, those in which it brings steps back to the
 * applied blueprint: changed ones, or all where that is what it walks to.
 */
export function makingStates(type: OperationType, goesBack = false): readonly OperationState[] {
  const { makesIn, restoresKept, target, undo } = operationTable[type];
  if (!goesBack) return makesIn;
  if (target === 'applied') return ['committing'];
  const onItsWay = restoresKept ? makesIn : [];
  return undo === 'to-applied' ? [...onItsWay, 'rolling-back'] : onItsWay;
}

/** Whether an operation of this type and state may make steps, or bring them back. */
export function mayMake(type: OperationType, state: OperationState, goesBack?: boolean): boolean {
  return makingStates(type, goesBack).includes(state);
}

/** The state in which a stuck operation removes what is left: one that made its target true already only finishes. */
export function removingStateOf(operation: {
  readonly type: OperationType;
  readonly committedAt: Date | null;
}): OperationRules['removesIn'] {
  const { removesIn, succeedsBy } = operationTable[operation.type];
  return operation.committedAt !== null && succeedsBy === 'close' ? 'committing' : removesIn;
}

/** Whether what an operation was to make true is so: it succeeded, or was abandoned past its point of no return. */
export function isMadeTrue(operation: {
  readonly type: OperationType;
  readonly state: OperationState;
  readonly committedAt: Date | null;
}): boolean {
  const { type, state, committedAt } = operation;
  const { target, succeedsBy } = operationTable[type];
  if (state === 'succeeded') return true;
  return state === 'abandoned' && committedAt !== null && target === 'desired' && succeedsBy === 'close';
}
