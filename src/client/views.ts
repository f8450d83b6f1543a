import type { Advice } from '../contracts/advice.ts';
import type { Becomes } from '../contracts/blueprint.ts';
import type { Caller } from '../contracts/caller.ts';
import type { DriftFinding, UnseenStep } from '../contracts/drift.ts';
import type { Failure } from '../contracts/errors.ts';
import type { EventType } from '../contracts/events.ts';
import type { HealthStatus } from '../contracts/health.ts';
import type { IsolationState } from '../contracts/isolation.ts';
import type { Leftover } from '../contracts/messages.ts';
import type { OpenOperation } from '../contracts/open-operation.ts';
import {
  isOpen,
  type ClosedOperationState,
  type OnFailure,
  type OperationState,
} from '../contracts/operation-state.ts';
import type { OperationType } from '../contracts/operation-table.ts';
import type { Settings, TenantMode } from '../contracts/settings.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import type { Unsettled } from '../contracts/unsettled.ts';
import type { Duration } from '../plan/expected-time.ts';
import type { FieldDifference } from '../plan/differences.ts';

/** What looks from outside say of a tenant in service; times are ISO 8601. */
export interface HealthView {
  readonly status: HealthStatus;
  readonly since: string;
  /** A sentence; null: healthy. */
  readonly reason: string | null;
  /** When the reason was so: later looks count, and do not ask why. Null: there is no reason. */
  readonly reasonAt: string | null;
  /** When it was looked at last: not while an operation is at work on it. */
  readonly lookedAt: string;
  /** What that look said by itself; so many in a row make another status. */
  readonly lastLook: { readonly status: HealthStatus; readonly inARow: number; readonly needed: number };
  /** Until when an operation was at work on the tenant after that look: what it said is from before. Null: none was. */
  readonly outdatedSince: string | null;
}

/** Whether a notice answers in a tenant's place; times are ISO 8601. */
export interface IsolationView {
  readonly state: IsolationState;
  /** False: it is to be lifted. */
  readonly wanted: boolean;
  /** When what is wanted now was asked for. */
  readonly since: string;
  readonly reason: string;
  readonly caller: Caller;
  /** Why the last attempt failed; it is tried again. */
  readonly lastError: Failure | null;
}

/** Answer of a request that isolates a tenant, or ends that. */
export interface IsolatedView {
  readonly tenantId: string;
  /** It is so already. */
  readonly isDone: boolean;
  readonly status: TenantStatus;
  /** Null: it is not isolated. */
  readonly isolation: IsolationView | null;
  /** A sentence for people. */
  readonly message: string;
}

/** What such a request would do; nothing was changed. */
export interface IsolationPreviewView {
  readonly dryRun: true;
  readonly tenantId: string;
  /** That would be made, or removed; null: there is none. */
  readonly rule: {
    readonly loadBalancerArn: string;
    readonly host: string;
    readonly status: number;
    /** Null: it is not made yet. */
    readonly priority: number | null;
  } | null;
}

/** A tenant as callers see it; times are ISO 8601. */
export interface TenantView {
  readonly tenantId: string;
  readonly product: string;
  readonly tier: string | null;
  /** The tier that it was moved from; null: it was made in the one that it is in. */
  readonly cameFromTier: string | null;
  readonly slug: string;
  readonly displayName: string;
  readonly contactEmail: string;
  readonly cell: string;
  readonly status: TenantStatus;
  readonly cleanupPending: boolean;
  /** Null: the product's tenants have no address. */
  readonly tenantUrl: string | null;
  /** What is desired: while an operation is open, it may not be so yet. */
  readonly settings: Settings;
  /** Rises with every choice; a change that fails makes an earlier one the desired one again. */
  readonly settingsVersion: number;
  /** Which of its credentials its services use, or are to use while an operation is open: each rotation counts one up from 1. */
  readonly credentials: number;
  /** Null: it is not in service, or was not looked at yet. */
  readonly health: HealthView | null;
  /** Null: its users reach it, as far as that goes. */
  readonly isolation: IsolationView | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly activatedAt: string | null;
  readonly deletedAt: string | null;
}

/** What somebody chose for a tenant. */
export interface TenantChoiceView {
  readonly version: number;
  readonly settings: Settings;
  readonly mode: TenantMode;
  readonly credentials: number;
}

/** A choice, with what it changed; times are ISO 8601. */
export interface SettingsVersionView extends TenantChoiceView {
  /** What was desired when it was made. Null: it is the first. */
  readonly before: TenantChoiceView | null;
  /** What carries it out, or did; one that ended without success took it back. Null: it took effect at once. */
  readonly operation: {
    readonly operationId: string;
    readonly type: OperationType;
    readonly state: OperationState;
  } | null;
  /** Who made it. Null: not known. */
  readonly caller: Caller | null;
  readonly at: string;
}

/** How the newest operation of a tenant ended. */
export interface OutcomeView {
  readonly operationId: string;
  readonly type: OperationType;
  readonly state: ClosedOperationState;
  /** A sentence for people. */
  readonly message: string;
}

/** What the last look at a tenant's steps said of them, beside what was applied. */
export interface DriftView {
  /** `unknown`: an operation was accepted since the look, or it could not see all. */
  readonly state: 'none' | 'drift' | 'unknown';
  readonly findings: number;
  /** When its findings began; null without any. */
  readonly since: string | null;
  readonly lookedAt: string;
}

/** A tenant, with how its newest operation ended. */
export interface TenantWithOutcomeView extends TenantView {
  /** Null: the newest operation is open. */
  readonly outcome: OutcomeView | null;
  /** Why the newest operation is in its state, where something failed. */
  readonly error?: Failure | undefined;
  /** What is amiss while `cleanupPending`. */
  readonly unsettled: Unsettled | null;
  /** Null: nobody has looked yet. */
  readonly drift: DriftView | null;
  /** When its open deletion begins to remove it. Null: none is open, or it has begun. */
  readonly deletesAt: string | null;
  /** Null: none is open. */
  readonly openOperation: OpenOperation | null;
}

export interface OperationView {
  readonly operationId: string;
  readonly tenantId: string;
  readonly type: OperationType;
  readonly state: OperationState;
  readonly onFailure: OnFailure;
  readonly workflowId: string;
  readonly runId: string | null;
  readonly generation: number;
  readonly failure?: Failure | undefined;
  readonly leftovers?: readonly Leftover[] | undefined;
  /** Null: nobody asked for a cancel, or it was refused. */
  readonly cancelRequestedAt: string | null;
  /** Who asked for it. Null: not known, an earlier release accepted it. */
  readonly caller: Caller | null;
  /** Of a deletion that waits: when it begins to remove. */
  readonly deletesAt: string | null;
  /** Of the trace that it is part of, in hex. Null: who accepted it recorded none. */
  readonly traceId: string | null;
  readonly acceptedAt: string;
  readonly claimedAt: string | null;
  readonly closedAt: string | null;
  readonly updatedAt: string;
}

/** Whether anybody carries operations out. */
export interface WorkersView {
  /** `none`: operations are accepted, and wait. `unknown`: it was not found out. */
  readonly state: 'polling' | 'none' | 'unknown';
  /** A sentence for people. */
  readonly detail: string;
}

/** No operation of what it names is accepted. */
export interface FreezeView {
  readonly freezeId: string;
  /** Null: any. */
  readonly product: string | null;
  readonly cell: string | null;
  readonly reason: string;
  /** Whom to ask. */
  readonly by: string;
  readonly since: string;
  /** Null: it is in force. */
  readonly liftedAt: string | null;
}

/** What a freeze, or its lift, would be of; nothing was changed. */
export interface FreezePreviewView extends Pick<FreezeView, 'product' | 'cell' | 'reason'> {
  readonly dryRun: true;
  /** That are not deleted. */
  readonly tenants: number;
  /** Of theirs: they go on. */
  readonly openOperations: number;
}

export interface StatusView {
  readonly tenantId: string;
  readonly status: TenantStatus;
  /** Null: it is not in service, or was not looked at yet. */
  readonly health: HealthView | null;
  /** As {@link TenantView.isolation}. */
  readonly isolation: IsolationView | null;
  /** The newest operation. */
  readonly operation: {
    readonly operationId: string;
    readonly type: OperationType;
    readonly state: OperationState;
    /** Who asked for it. Null: not known. */
    readonly caller: Caller | null;
  };
  /** How the operation ended; null while it is open. */
  readonly outcome: OutcomeView | null;
  /** The first of `currentSteps`; null when nothing is under way. */
  readonly currentStep: string | null;
  readonly currentSteps: readonly string[];
  /** Of the operation's own steps: those that it has made ready or that stay as they are; of a deletion, those that it has removed. */
  readonly stepsDone: readonly string[];
  /** Steps of the operation's blueprint; of a deletion, those that there were to remove when it began. */
  readonly stepsTotal: number;
  /** Of the steps whose removal is under way: those whose last attempt failed, which is tried again, and why it failed. */
  readonly retrying?: readonly { readonly stepId: string; readonly failure: Failure }[] | undefined;
  /** Steps that are made, or were ready before, and are waited for to be ready: since when, and what was seen. */
  readonly awaited?:
    readonly { readonly stepId: string; readonly since: string; readonly detail: string | null }[] | undefined;
  /** As {@link TenantWithOutcomeView.deletesAt}. */
  readonly deletesAt: string | null;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly error?: Failure | undefined;
  /** Present when something is left, missing or not as it was applied, and no operation is at work on it: read from the ledger now. */
  readonly leftovers?: readonly Leftover[] | undefined;
  /** Present when the operation holds, is stuck, or was closed with something left. */
  readonly attention?: AttentionView | undefined;
  readonly cleanupPending: boolean;
  /** As {@link TenantWithOutcomeView.unsettled}. */
  readonly unsettled: Unsettled | null;
  readonly tenantUrl: string | null;
  /** Null: nobody has looked yet. */
  readonly drift: DriftView | null;
}

/** Something of a tenant that is not as it was applied. */
export interface DriftFindingView extends DriftFinding {
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
}

/** What the last look at a tenant saw. */
export interface TenantDriftView {
  readonly tenantId: string;
  readonly drift: DriftView | null;
  /** Oldest first. */
  readonly findings: readonly DriftFindingView[];
  /** Steps that it could not look at: nothing is said of them. */
  readonly unseen: readonly UnseenStep[];
}

/** What waits for a person, and what that person can do; times are ISO 8601. */
export interface AttentionView {
  /** When the operation came into its state. */
  readonly since: string;
  /** Of a hold: when it ends by itself. */
  readonly until?: string | undefined;
  /** What happens when nobody does anything. */
  readonly otherwise: string;
  /** What the codes of what is left ask of an operator; where those say nothing, that of the failure. */
  readonly advice: readonly Advice[];
  readonly choices: readonly ChoiceView[];
}

/** Something that an operator can do, as the command line has it; the API's route has the name of the verb. */
export interface ChoiceView {
  readonly verb: 'retry' | 'cancel' | 'repair' | 'abandon' | 'delete';
  readonly command: string;
  readonly effect: string;
}

/** A JWK set (RFC 7517). */
export interface KeysView {
  readonly keys: readonly PublicKeyView[];
}

export interface PublicKeyView {
  readonly kty: string;
  readonly kid: string;
  readonly [field: string]: unknown;
}

export interface EventView {
  /** Rises within a tenant: the cursor of pages and streams. */
  readonly id: number;
  readonly at: string;
  readonly type: EventType;
  readonly tenantId: string;
  readonly operationId: string | null;
  readonly stepId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  /** Who caused it; of what a run does by itself, who asked for its operation. Null: not known. */
  readonly caller?: Caller | null | undefined;
  /** Of a failure: what to do about it. */
  readonly advice?: Advice | undefined;
}

/** What would become of a step. */
export interface PreviewedStepView {
  readonly stepId: string;
  readonly kind: string;
  readonly becomes: Becomes;
  /** Fields of its spec that would be others. Empty: none, or they follow from what other steps will give. */
  readonly fields: readonly FieldDifference[];
  /** Changing IAM actions that it may call, at most. */
  readonly calls: readonly string[];
  /** How long such a step took in the cell's latest operations. Null: none is recorded, or it stays as it is. */
  readonly expected: Duration | null;
  /** The tenant's data is lost with it: not what a change of tier, or its undo, drops where the data stays in another step. */
  readonly dropsData: boolean;
  /** It exists on the way only, and is removed past the commit. */
  readonly transient: boolean;
}

/** What a new tenant takes of its load balancer's quotas. */
export interface RoomView {
  readonly loadBalancerArn: string;
  readonly rules: RoomLeft;
  readonly targetGroups: RoomLeft;
}
export interface RoomLeft {
  readonly quota: number;
  readonly leftBefore: number;
  readonly leftAfter: number;
}

/** What is kept of a tenant's data when it is deleted. */
export interface FinalDumpView {
  readonly kept: boolean;
  /** A sentence for people; where nothing is kept, why. */
  readonly detail: string;
  /** Null: nothing is kept. */
  readonly bucket: string | null;
  readonly retentionDays: number | null;
  /** It may be handed out. */
  readonly export: boolean;
}

/** What stays for a while of a tenant that is deleted. */
export interface ExpectedResidueView {
  readonly stepId: string;
  readonly type: string;
  /** Why, a sentence. */
  readonly reason: string;
  /** For how long. Null: no time is given. */
  readonly days: number | null;
}

/** What a request would do; nothing was changed. */
export interface PreviewView {
  readonly dryRun: true;
  /** Null: the tenant does not exist yet. */
  readonly tenantId: string | null;
  /** What would be carried out; null: nothing would have to be. */
  readonly operation: OperationType | null;
  /** In the order of the walk. */
  readonly steps: readonly PreviewedStepView[];
  /** Along the longest chain of steps. Null: that of a step is not known. */
  readonly expected: Duration | null;
  /** Null: it takes nothing that it has not got. */
  readonly room: RoomView | null;
  /** Null: it deletes nothing. */
  readonly finalDump: FinalDumpView | null;
  /** Of a deletion: for how long it would wait before it removes anything. Null: it would remove nothing. */
  readonly graceSeconds?: number | null | undefined;
  /** What would stay for a while. */
  readonly residues: readonly ExpectedResidueView[];
  /** What would be desired. */
  readonly settings: Settings;
  /** What people would know it by, where the request says something of that. */
  readonly details?: Pick<TenantView, 'displayName' | 'contactEmail'> | undefined;
  /** Of a request to the open operation. */
  readonly control?: ControlView | undefined;
}

/** What a request to the open operation would do to it. */
export interface ControlView {
  readonly verb: 'retry' | 'cancel' | 'abandon';
  readonly operationId: string;
  /** As it is now: its run may be ahead. */
  readonly state: OperationState;
  /** A sentence for people. */
  readonly effect: string;
  /** Of the tenant, when it has ended well. */
  readonly tenantStatus: TenantStatus;
  /** What stays, as nobody is at work on it any more. */
  readonly leftovers: readonly Leftover[];
}

/** What became of a request that an operation carries out; `done`: none has to. */
export type ChangeOutcome =
  | {
      readonly done: true;
      readonly tenant: TenantView;
      /** Fields of the tenant that were changed at once, such as `contactEmail` and `settings.name`. Empty: it was so already. */
      readonly changed: readonly string[];
    }
  | { readonly done: false; readonly accepted: AcceptedView };

/** Answer of a request that starts an operation, or that its run has taken. */
export interface AcceptedView {
  readonly tenantId: string;
  readonly operationId: string;
  /** That operation, as it was when the request was accepted, whatever its run has done since. Null: the request closed it. */
  readonly openOperation: OpenOperation | null;
  readonly workflowId: string;
  /**
   * Of the tenant when the request was accepted, whatever its run has done since; of a deletion `deleting`, though the tenant has that
   * status only once a worker begins it.
   */
  readonly status: TenantStatus;
  /** A sentence for people: what was accepted. */
  readonly message: string;
  /** Of a deletion with a grace period: when it begins to remove. */
  readonly deletesAt?: string | null | undefined;
  /** Of a deletion: what is kept of the data. */
  readonly finalDump?: FinalDumpView | undefined;
  readonly tenantUrl: string | null;
  /** Of a change: that of the settings which are desired from now on. */
  readonly settingsVersion?: number | undefined;
}

/** Answer of a request that makes a tenant. */
export interface CreatedView extends AcceptedView {
  /** As it was accepted. */
  readonly tenant: TenantView;
}

/** @param operation that carries the request out, or takes it */
export function acceptedView(
  tenant: { readonly id: string; readonly status: TenantStatus; readonly tenantUrl: string | null },
  operation: OperationFacts & { readonly workflowId: string },
  message: string,
): AcceptedView {
  const { id: tenantId, status, tenantUrl } = tenant;
  const { id: operationId, workflowId } = operation;
  const openOperation = openOperationOf(operation);
  return { tenantId, operationId, openOperation, workflowId, status, message, tenantUrl };
}

interface OperationFacts {
  readonly id: string;
  readonly type: OperationType;
  readonly state: OperationState;
  readonly acceptedAt: Date;
}

export function openOperationOf({ id: operationId, type, state, acceptedAt }: OperationFacts): OpenOperation | null {
  return isOpen(state) ? { operationId, type, state, since: acceptedAt.toISOString() } : null;
}

/** What a caller is told whose request was accepted. The answer's status says the rest: no second one stands in the sentence. */
export function acceptance(what: string): string {
  return `${what} is accepted, and a worker carries it out`;
}
