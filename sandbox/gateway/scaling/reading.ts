import type { z } from 'zod';
import { AwsError } from '../answer.ts';
import { readJson } from '../ecs/service-input.ts';
import type { Call } from '../request.ts';

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** A call's body; a member that is null counts as not given. @throws AwsError SerializationException, ValidationException that names the member */
export function read<T>(call: Call, schema: z.ZodType<T>): T {
  const body = readJson(call);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unreadable('the request is no structure');
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw issue ? refusalOf(issue, given) : invalid(parsed.error.message);
}

/** As AWS words it: `Value 'x' at 'serviceNamespace' failed to satisfy constraint: ...`. */
function refusalOf(issue: z.core.$ZodIssue, body: object): AwsError {
  const member = issue.path.map((part, at) => (at === 0 ? lowerFirst(String(part)) : String(part))).join('.');
  const value = valueAt(body, issue.path);
  if (value !== undefined && issue.code === 'invalid_type')
    return unreadable(`${member}: ${issue.expected} was expected`);
  const shown = value === undefined ? 'null' : `'${JSON.stringify(value).replace(/^"|"$/g, '')}'`;
  const constraint = value === undefined ? 'Member must not be null' : constraintOf(issue);
  return invalid(
    `1 validation error detected: Value ${shown} at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}

function valueAt(body: object, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? new Map(Object.entries(at)).get(String(part)) : undefined),
    body,
  );
}

function constraintOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
    case 'too_small':
      return `Member must have ${measured(issue.origin)} greater than or equal to ${issue.minimum}`;
    case 'too_big':
      return `Member must have ${measured(issue.origin)} less than or equal to ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function measured(origin: string): string {
  return origin === 'string' || origin === 'array' ? 'length' : 'value';
}

function unreadable(message: string): AwsError {
  return new AwsError('SerializationException', message);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
