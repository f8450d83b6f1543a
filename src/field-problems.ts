import { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

/** What is wrong with a field, to stand after its name; undefined: in zod's own words. */
export function problemOf(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'unrecognized_keys':
      return unknownFields(issue.keys, issue.inst);
    case 'invalid_value':
      if (issue.input === undefined) return 'is required';
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return formatNames[issue.format] && `must be ${formatNames[issue.format]}`;
    case 'too_small':
      return `must ${sizeOf(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${sizeOf(issue.origin, 'at most', issue.maximum)}`;
    default:
      return undefined;
  }
}

/** Of several limits that one value exceeds the narrowest alone: zod tells its own of whole numbers first. */
export function narrowestLimits<I extends Pick<z.core.$ZodIssue, 'code' | 'path'>>(issues: readonly I[]): I[] {
  const limits = ['too_big', 'too_small'];
  return issues.filter(
    ({ code, path }, i) =>
      !limits.includes(code) ||
      !issues.slice(i + 1).some((later) => later.code === code && later.path.join('.') === path.join('.')),
  );
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

const formatNames: Readonly<Record<string, string>> = { uuid: 'a UUID', base64: 'base64' };

function unknownFields(keys: readonly string[], schema: RawIssue['inst']): string {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const unknown = `unknown field${keys.length === 1 ? '' : 's'} ${keys.map((key) => `"${key}"`).join(', ')}`;
  return known.length === 0 ? `${unknown}; none is taken here` : `${unknown}; known: ${known.join(', ')}`;
}

function sizeOf(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${limit} character${limit === 1 ? '' : 's'}`;
  if (origin === 'array') return `have ${bound} ${limit} entries`;
  return `be ${bound} ${limit}`;
}
