import { expect, it } from 'vitest';
import { refuseValue } from '../../../sandbox/gateway/cloudformation/parameter-rules.ts';
import { readTemplate } from '../../../sandbox/gateway/cloudformation/template.ts';

const { Parameters } = readTemplate(`
Parameters:
  Count: { Type: Number, MinValue: 1, MaxValue: '3' }
  Name: { Type: String, MinLength: 2, MaxLength: 4, AllowedPattern: '[a-z]+' }
  Told: { Type: String, AllowedPattern: '[a-z]', ConstraintDescription: one letter }
Resources:
  Handle: { Type: 'AWS::CloudFormation::WaitConditionHandle' }
`);

it.each([
  ['Count', '0', "Parameter 'Count' must be a number not less than 1"],
  ['Count', '4', "Parameter 'Count' must be a number not greater than 3"],
  ['Count', 'many', "Parameter 'Count' must be a number."],
  ['Name', 'a', "Parameter 'Name' must contain at least 2 characters"],
  ['Name', 'abcde', "Parameter 'Name' must contain at most 4 characters"],
  ['Name', 'ABC', "Parameter 'Name' must match pattern [a-z]+"],
  ['Told', '1', 'Parameter Told failed to satisfy constraint: one letter'],
])('the parameter %s of a template is not %s', (name, value, message) => {
  expect(() => refuseValue(name, value, Parameters[name])).toThrow(message);
});

it.each([
  ['Count', '1'],
  ['Count', '3'],
  ['Name', 'abcd'],
  ['Told', 'z'],
])('the parameter %s of a template may be %s', (name, value) => {
  expect(() => refuseValue(name, value, Parameters[name])).not.toThrow();
});
