import { z } from 'zod';
import { AwsError } from '../answer.ts';

export const putInput = z.looseObject({
  Name: z.string(),
  Value: z.string().optional(),
  Type: z.string().optional(),
  Tier: z.string().optional(),
  Overwrite: z.boolean().optional(),
  Tags: z.array(z.looseObject({ Key: z.string() })).optional(),
});
type PutInput = z.infer<typeof putInput>;

const LARGEST_STANDARD = 4_096;
const LARGEST_ADVANCED = 8_192;

/**
 * What AWS refuses of a PutParameter, whatever is there already. Source: Systems Manager's API reference (PutParameter) and user guide
 * ("Creating parameters", "Requirements and constraints for parameter names"). @throws AwsError
 */
export function refusePut({ Name, Value = '', Tier, Overwrite, Tags = [] }: PutInput): void {
  refuseName(Name);
  if (Overwrite === true && Tags.length > 0)
    throw invalid("Invalid request: tags and overwrite can't be used together.");
  if (Tags.length > 50) throw new AwsError('TooManyTagsError', 'The Targets parameter includes too many tags.');
  if (Tags.some(({ Key }) => /^aws:/i.test(Key))) throw invalid("Tag keys can't begin with aws:.");
  if (Value === '') throw invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint.");
  if (Value.includes('{{')) throw invalid("Parameter value can't nest another parameter.");
  const largest = Tier === undefined || Tier === 'Standard' ? LARGEST_STANDARD : LARGEST_ADVANCED;
  if (Buffer.byteLength(Value) > largest)
    throw invalid(`Parameters of this tier support a maximum parameter value of ${largest} characters.`);
}

function refuseName(name: string): void {
  const levels = name.split('/').length - 1;
  if (/^\/?aws/i.test(name))
    throw new AwsError('AccessDeniedException', `No access to reserved parameter name: ${name}.`);
  if (/^\/?ssm/i.test(name)) throw invalid('Parameter name: can\'t be prefixed with "ssm" (case-insensitive).');
  if (!/^\/?[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/.test(name))
    throw invalid('Parameter name must be letters, numbers and .-_, divided by slashes.');
  if (levels > 0 && !name.startsWith('/')) throw invalid('Parameter name must be a fully qualified name.');
  if (name.length > 1_011) throw invalid('Parameter name is longer than 1011 characters.');
  if (levels > 15)
    throw new AwsError(
      'HierarchyLevelLimitExceededException',
      'A parameter hierarchy can have a maximum of 15 levels.',
    );
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
