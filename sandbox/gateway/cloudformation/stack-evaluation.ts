import { AwsError } from '../answer.ts';
import { Evaluation } from './evaluation.ts';
import type { Output, Stack, Tags, Wish } from './model.ts';

/** What a change set shows where a value is known once the resource is made. */
export const KNOWN_AFTER_APPLY = '{{changeSet:KNOWN_AFTER_APPLY}}';

/** The values of what a stack is to be, by the resources that it has. */
export function evaluationOf(stack: Stack, wish: Wish, unknown?: (logicalId: string) => boolean): Evaluation {
  const { id, name, resources, scope } = stack;
  return new Evaluation({
    ...{ scope, stackId: id, stackName: name, template: wish.template, parameters: wish.parameters },
    attributeOf(logicalId, attribute) {
      const made = resources.get(logicalId);
      if (unknown?.(logicalId) === true) return KNOWN_AFTER_APPLY;
      if (made?.physicalId === undefined)
        throw new AwsError('ValidationError', `Unresolved resource dependency [${logicalId}]`);
      const value = attribute === undefined ? made.physicalId : made.attributes?.[attribute];
      if (value === undefined)
        throw new AwsError(
          'ValidationError',
          `Requested attribute ${attribute ?? ''} does not exist in schema for ${logicalId}`,
        );
      return value;
    },
  });
}

export function outputsOf(evaluation: Evaluation, { template }: Wish): Output[] {
  return Object.entries(template.Outputs)
    .filter(([, { Condition }]) => evaluation.isMade(Condition))
    .map(([key, { Description, Value }]) => ({ key, value: evaluation.text(Value), description: Description }));
}

/** Those of the stack, and CloudFormation's own. */
export function resourceTags({ id, name }: Stack, { tags }: Wish, logicalId: string): Tags {
  return {
    ...tags,
    'aws:cloudformation:stack-id': id,
    'aws:cloudformation:stack-name': name,
    'aws:cloudformation:logical-id': logicalId,
  };
}
