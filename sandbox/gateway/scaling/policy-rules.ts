import { scaledBy } from './dynamodb-resource.ts';
import type { PolicyInput } from './input.ts';
import type { ScalingPolicy, TargetTracking } from './model.ts';
import { invalid } from './reading.ts';

/** Percent that a table or an index may aim at. Source: DynamoDB developer guide, "Managing throughput capacity automatically". */
const LEAST_UTILIZATION = 20;
const LARGEST_UTILIZATION = 90;

/**
 * The tracking that a policy is to have; AWS tracks targets for DynamoDB and knows no other type there (API reference, PutScalingPolicy).
 * @param others policies of the same target
 * @throws AwsError ValidationException
 */
export function trackingOf(
  input: PolicyInput,
  known: ScalingPolicy | undefined,
  others: readonly ScalingPolicy[],
): TargetTracking {
  scaledBy(input);
  const { PolicyType, TargetTrackingScalingPolicyConfiguration: wanted } = input;
  if (PolicyType === undefined && !known) throw invalid('PolicyType is required to create a scaling policy');
  if (PolicyType !== undefined && PolicyType !== 'TargetTrackingScaling')
    throw invalid(`Scaling policies of type ${PolicyType} are not supported for dynamodb`);
  const tracking = wanted ?? known?.tracking;
  if (!tracking)
    throw invalid('TargetTrackingScalingPolicyConfiguration is required for a TargetTrackingScaling policy');
  refuseTracking(tracking, input.ScalableDimension);
  const metric = metricOf(tracking);
  if (others.some((other) => metricOf(other.tracking) === metric))
    throw invalid('Only one TargetTrackingScaling policy for a given metric specification is allowed.');
  return tracking;
}

function refuseTracking(tracking: TargetTracking, dimension: string): void {
  const {
    CustomizedMetricSpecification: customized,
    PredefinedMetricSpecification: predefined,
    TargetValue,
  } = tracking;
  if ((customized === undefined) === (predefined === undefined))
    throw invalid('Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified');
  if (!predefined) return;
  const fitting = `DynamoDB${dimension.includes(':Read') ? 'Read' : 'Write'}CapacityUtilization`;
  if (predefined.PredefinedMetricType !== fitting)
    throw invalid(
      `The metric type ${predefined.PredefinedMetricType} cannot be used with the scalable dimension ${dimension}`,
    );
  if (TargetValue < LEAST_UTILIZATION || TargetValue > LARGEST_UTILIZATION)
    throw invalid(
      `Target value ${TargetValue} must be between ${LEAST_UTILIZATION} and ${LARGEST_UTILIZATION} for ${fitting}`,
    );
}

function metricOf({ CustomizedMetricSpecification, PredefinedMetricSpecification }: TargetTracking): string {
  return JSON.stringify(PredefinedMetricSpecification ?? CustomizedMetricSpecification);
}
