import { randomUUID } from 'node:crypto';
import { AwsError } from '../answer.ts';
import { scopeKey, type Scope } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { refuseMissing, scaledBy } from './dynamodb-resource.ts';
import type { PolicyInput, RegisterInput } from './input.ts';
import { describeTarget, isSameTarget, type ScalableTarget, type ScalingPolicy, type TargetKey } from './model.ts';
import { invalid } from './reading.ts';
import { trackingOf } from './policy-rules.ts';

const roleName = 'dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable';
const MAX_TAGS = 50;

/**
 * Scalable targets and their policies, of DynamoDB's tables and indexes. They are kept and shown; nothing is scaled, and no alarm is
 * made. As in AWS they outlive the table that they are of. Source: DynamoDB developer guide, "Managing throughput capacity automatically".
 */
export class Scaling {
  readonly #upstream: Upstream;
  #targets: readonly ScalableTarget[] = [];
  #policies: readonly ScalingPolicy[] = [];

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  targets(scope?: Scope): readonly ScalableTarget[] {
    return this.#targets.filter((one) => !scope || isOf(scope, one));
  }

  policies(scope?: Scope): readonly ScalingPolicy[] {
    return this.#policies.filter((one) => !scope || isOf(scope, one));
  }

  target(scope: Scope, key: TargetKey): ScalableTarget | undefined {
    return this.#targets.find((one) => isOf(scope, one) && isSameTarget(one.key, key));
  }

  policy(scope: Scope, key: TargetKey, name: string): ScalingPolicy | undefined {
    return this.#policiesOf(scope, key).find((one) => one.name === name);
  }

  /** Makes a target, or changes what is given of one. @throws AwsError ValidationException */
  async register(scope: Scope, input: RegisterInput): Promise<ScalableTarget> {
    await refuseMissing(this.#upstream, scope, input);
    const known = this.target(scope, input);
    const {
      MinCapacity: min = known?.minCapacity,
      MaxCapacity: max = known?.maxCapacity,
      SuspendedState,
      Tags,
    } = input;
    if (min === undefined || max === undefined)
      throw invalid('Both MinCapacity and MaxCapacity are required to register a new scalable target');
    if (min < 1) throw invalid('Minimum capacity cannot be less than 1');
    if (max < min) throw invalid('Maximum capacity cannot be less than minimum capacity');
    if (known && Tags)
      throw invalid(
        'The scalable target that you tried to tag already exists. To update tags on an existing scalable target, use the TagResource API.',
      );
    if (!known) return this.#add(scope, input, { minCapacity: min, maxCapacity: max });
    Object.assign(known, { minCapacity: min, maxCapacity: max, suspended: SuspendedState ?? known.suspended });
    return known;
  }

  /** With its policies. @throws AwsError ObjectNotFoundException */
  deregister(scope: Scope, key: TargetKey): void {
    const target = this.target(scope, key);
    if (!target) throw notFound(`No scalable target found for ${describeTarget(key)}`);
    this.#targets = this.#targets.filter((one) => one !== target);
    const policies = this.#policiesOf(scope, key);
    this.#policies = this.#policies.filter((one) => !policies.includes(one));
  }

  /** Makes a policy, or changes the one of the name. @throws AwsError ObjectNotFoundException, ValidationException */
  putPolicy(scope: Scope, input: PolicyInput): ScalingPolicy {
    const { PolicyName: name } = input;
    const key = keyOf(input);
    if (!this.target(scope, key)) throw notFound(`No scalable target registered for ${describeTarget(key)}`);
    const known = this.policy(scope, key, name);
    const others = this.#policiesOf(scope, key).filter((one) => one !== known);
    const tracking = trackingOf(input, known, others);
    if (known) {
      known.tracking = tracking;
      return known;
    }
    const place = `${scope.region}:${scope.accountId}`;
    const resource = `resource/${key.ServiceNamespace}/${key.ResourceId}`;
    const arn = `arn:aws:autoscaling:${place}:scalingPolicy:${randomUUID()}:${resource}:policyName/${name}`;
    const made = { scope, key, name, arn, createdAt: new Date(), tracking };
    this.#policies = [...this.#policies, made];
    return made;
  }

  /** @throws AwsError ObjectNotFoundException */
  deletePolicy(scope: Scope, key: TargetKey, name: string): void {
    const policy = this.policy(scope, key, name);
    if (!policy) throw notFound(`No scaling policy found for ${describeTarget(key)}, policy name: ${name}`);
    this.#policies = this.#policies.filter((one) => one !== policy);
  }

  /** By its ARN. @throws AwsError ResourceNotFoundException */
  tagged(scope: Scope, arn: string): ScalableTarget {
    const target = this.targets(scope).find((one) => one.arn === arn);
    if (target) return target;
    throw new AwsError('ResourceNotFoundException', `The specified resource doesn't exist: ${arn}`);
  }

  #policiesOf(scope: Scope, key: TargetKey): readonly ScalingPolicy[] {
    return this.#policies.filter((one) => isOf(scope, one) && isSameTarget(one.key, key));
  }

  #add(
    scope: Scope,
    input: RegisterInput,
    capacity: Pick<ScalableTarget, 'minCapacity' | 'maxCapacity'>,
  ): ScalableTarget {
    const { Tags = {}, SuspendedState } = input;
    refuseTags(Tags);
    const id = `${randomUUID()}${randomUUID()}`.replaceAll('-', '').slice(0, 36);
    const made: ScalableTarget = {
      ...{ scope, key: keyOf(input), tags: Tags, createdAt: new Date() },
      ...capacity,
      arn: `arn:aws:application-autoscaling:${scope.region}:${scope.accountId}:scalable-target/${id}`,
      // Whatever role is given: the service has one of its own for DynamoDB.
      roleArn: `arn:aws:iam::${scope.accountId}:role/aws-service-role/${roleName}`,
      suspended: SuspendedState ?? notSuspended,
    };
    this.#targets = [...this.#targets, made];
    return made;
  }
}

const notSuspended = {
  ...{ DynamicScalingInSuspended: false, DynamicScalingOutSuspended: false, ScheduledScalingSuspended: false },
};

/** @throws AwsError TooManyTagsException, ValidationException */
export function refuseTags(tags: Readonly<Record<string, string>>): void {
  const names = Object.keys(tags);
  if (names.length > MAX_TAGS)
    throw new AwsError('TooManyTagsException', `A scalable target can have at most ${MAX_TAGS} tags.`);
  if (names.some((name) => /^aws:/i.test(name))) throw invalid('Tag keys cannot begin with aws:.');
}

function keyOf(key: TargetKey): TargetKey {
  scaledBy(key);
  const { ServiceNamespace, ResourceId, ScalableDimension } = key;
  return { ServiceNamespace, ResourceId, ScalableDimension };
}

function isOf(scope: Scope, one: { readonly scope: Scope }): boolean {
  return scopeKey(scope) === scopeKey(one.scope);
}

function notFound(message: string): AwsError {
  return new AwsError('ObjectNotFoundException', message);
}
