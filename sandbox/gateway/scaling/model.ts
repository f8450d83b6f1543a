import type { Scope } from '../request.ts';

/** What names a scalable target, as AWS spells it. */
export interface TargetKey {
  readonly ServiceNamespace: string;
  /** `table/<name>` or `table/<name>/index/<name>` */
  readonly ResourceId: string;
  readonly ScalableDimension: string;
}

export interface SuspendedState {
  readonly DynamicScalingInSuspended: boolean;
  readonly DynamicScalingOutSuspended: boolean;
  readonly ScheduledScalingSuspended: boolean;
}

export interface ScalableTarget {
  readonly scope: Scope;
  readonly key: TargetKey;
  readonly arn: string;
  readonly roleArn: string;
  readonly createdAt: Date;
  minCapacity: number;
  maxCapacity: number;
  suspended: SuspendedState;
  tags: Readonly<Record<string, string>>;
}

export interface ScalingPolicy {
  readonly scope: Scope;
  readonly key: TargetKey;
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  tracking: TargetTracking;
}

/** Only what the gateway looks at; the rest is kept and shown as it came. */
export interface TargetTracking {
  readonly TargetValue: number;
  readonly PredefinedMetricSpecification?: { readonly PredefinedMetricType: string } | undefined;
  readonly CustomizedMetricSpecification?: object | undefined;
}

export function isSameTarget(a: TargetKey, b: TargetKey): boolean {
  return (
    a.ServiceNamespace === b.ServiceNamespace &&
    a.ResourceId === b.ResourceId &&
    a.ScalableDimension === b.ScalableDimension
  );
}

/** AWS's words for a target in an error. */
export function describeTarget({ ServiceNamespace, ResourceId, ScalableDimension }: TargetKey): string {
  return `service namespace: ${ServiceNamespace}, resource ID: ${ResourceId}, scalable dimension: ${ScalableDimension}`;
}
