import { invalid } from './input.ts';
import type { TemplateParameter } from './template.ts';

/**
 * Source: CloudFormation user guide, "Parameters" (constraints); a `ConstraintDescription` takes the place of AWS's own words.
 * @throws AwsError ValidationError
 */
export function refuseValue(name: string, value: string, parameter: TemplateParameter | undefined): void {
  const problem = parameter && problemOf(value, parameter);
  if (problem === undefined) return;
  const { ConstraintDescription: described } = parameter ?? {};
  throw invalid(
    described === undefined
      ? `Parameter '${name}' ${problem}`
      : `Parameter ${name} failed to satisfy constraint: ${described}`,
  );
}

function problemOf(value: string, parameter: TemplateParameter): string | undefined {
  const { AllowedPattern, AllowedValues, Type } = parameter;
  if (AllowedValues && !AllowedValues.includes(value)) return 'must be one of AllowedValues';
  if (AllowedPattern !== undefined && !new RegExp(`^(?:${AllowedPattern})$`).test(value))
    return `must match pattern ${AllowedPattern}`;
  return Type === 'Number' ? numberProblem(value, parameter) : lengthProblem(value, parameter);
}

function numberProblem(value: string, { MaxValue = Infinity, MinValue = -Infinity }: TemplateParameter) {
  if (value.trim() === '' || Number.isNaN(Number(value))) return 'must be a number.';
  if (Number(value) < MinValue) return `must be a number not less than ${MinValue}`;
  return Number(value) > MaxValue ? `must be a number not greater than ${MaxValue}` : undefined;
}

function lengthProblem(value: string, { MaxLength = Infinity, MinLength = 0 }: TemplateParameter) {
  if (value.length < MinLength) return `must contain at least ${MinLength} characters`;
  return value.length > MaxLength ? `must contain at most ${MaxLength} characters` : undefined;
}
