import type { AwsScope } from './caller.ts';

/** What a gateway keeps itself, because the emulator behind it stores services but runs nothing. */
export interface OwnedThings {
  readonly services: readonly OwnedService[];
  readonly stacks: readonly OwnedStack[];
  readonly scalableTargets: readonly OwnedScalableTarget[];
  readonly scalingPolicies: readonly OwnedScalingPolicy[];
  readonly targets: readonly OwnedTarget[];
  /** Listeners that tasks hold open on this machine, as the processes tell; of a forgotten task without a service. */
  readonly taskListeners: readonly { readonly id: string; readonly serviceArn?: string | undefined }[];
}

export interface OwnedService {
  readonly scope: AwsScope;
  readonly arn: string;
  readonly status: string;
  readonly desiredCount: number;
  readonly taskDefinition: string;
  readonly tasks: readonly OwnedTask[];
}

export interface OwnedTask {
  readonly arn: string;
  readonly status: string;
  readonly taskDefinition: string;
}

/** A stack of CloudFormation. */
export interface OwnedStack {
  readonly scope: AwsScope;
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly isProtected: boolean;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

interface OwnedScaling {
  readonly scope: AwsScope;
  readonly arn: string;
  /** `table/<name>` or `table/<name>/index/<name>` */
  readonly resourceId: string;
  readonly dimension: string;
}

/** A scalable target of Application Auto Scaling. */
export interface OwnedScalableTarget extends OwnedScaling {
  readonly minCapacity: number;
  readonly maxCapacity: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** A scaling policy of Application Auto Scaling. */
export interface OwnedScalingPolicy extends OwnedScaling {
  readonly name: string;
  readonly targetValue: number;
  /** Undefined for one that the caller made up. */
  readonly metric: string | undefined;
}

/** A target that is registered in a target group. */
export interface OwnedTarget {
  readonly targetGroupArn: string;
  /** `address:port` */
  readonly address: string;
  readonly state: string;
}

export const nothingOwned: OwnedThings = {
  services: [],
  stacks: [],
  scalableTargets: [],
  scalingPolicies: [],
  targets: [],
  taskListeners: [],
};
