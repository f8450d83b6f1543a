import { parseDocument } from 'yaml';
import { z } from 'zod';

const TABLE = 'AWS::DynamoDB::Table';

/** Of a template of CloudFormation, what has to be there. Its functions (`!Ref`) are read by their content. */
const template = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown().optional() })).default({}),
  Resources: z.record(z.string(), z.looseObject({ Type: z.string() })),
});

/**
 * Why no table of a private account can be made by a template, as sentences.
 * @param text YAML or JSON
 * @param given names of the parameters that each stack gives
 */
export function accountTemplateProblems(text: string, given: readonly string[]): string[] {
  const document = parseDocument(text, { logLevel: 'error' });
  const [mistake] = document.errors;
  if (mistake) return [`is neither YAML nor JSON: ${mistake.message.split('\n')[0]}`];
  const { data, error } = template.safeParse(document.toJS());
  if (error) return [`is no template of CloudFormation: ${error.issues.map(issueText).join(', ')}`];
  const unknown = given.filter((name) => !Object.hasOwn(data.Parameters, name));
  const needed = Object.keys(data.Parameters).filter(
    (name) => data.Parameters[name]?.Default === undefined && !given.includes(name),
  );
  return [
    ...(Object.values(data.Resources).some(({ Type }) => Type === TABLE) ? [] : [`has no ${TABLE}`]),
    ...unknown.map((name) => `does not take parameter ${name}, which each stack gives`),
    ...needed.map((name) => `asks for parameter ${name}, which no stack gives`),
  ];
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}
