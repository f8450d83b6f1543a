import { z } from 'zod';

/** One part of a domain name (RFC 1123); a punycode A-label (RFC 5890) is one, too. */
const part = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** At most 253 characters; the last part is no number (RFC 3696, 2), but it may be punycode: top-level domains are an open set. */
const domainName = `(?=.{1,253}$)(?:${part}\\.)+(?!\\d+$)${part}`;

export const dnsLabel = z.string().regex(new RegExp(`^${part}$`), 'must be a DNS label');

export const domain = z
  .string()
  .regex(new RegExp(`^${domainName}$`), 'must be a domain name (in lower case, other scripts as punycode: xn--...)');

/** Local part: dot-atom of RFC 5321, at most 64 characters, as SES takes it; no quoted ones. Domain: {@link domain} in any case. */
const localPart = "(?=.{1,64}@)[\\w!#$%&'*+/=?^`{|}~-]+(?:\\.[\\w!#$%&'*+/=?^`{|}~-]+)*";

export const emailAddress = z
  .string()
  .max(254, { abort: true })
  .regex(
    new RegExp(`^${localPart}@${domainName.replaceAll('a-z', 'A-Za-z')}$`),
    'must be an email address (domains in other scripts as punycode: xn--...)',
  );

/** The same as people type it: with blanks around. What the description says of it is what clients are to send. */
export const typedEmailAddress = z.string().trim().pipe(emailAddress).meta({ format: 'email', maxLength: 254 });

/** Not only blanks, and no control characters: terminals would obey them. */
const control = String.raw`\u0000-\u001f\u007f-\u009f`;
const plain = new RegExp(`^[^${control}]*[^\\s${control}][^${control}]*$`);

/** Text for people, trimmed. Its length is counted as JSON Schema does, in code points. */
export const plainText = (max: number) =>
  z
    .string()
    .regex(plain, 'must not be blank, and must have no control characters')
    .refine((text) => Array.from(text).length <= max, `must have at most ${max} characters`)
    .trim()
    .meta({ minLength: 1, maxLength: max });

/** Of any partition: `eu-central-1`, `us-gov-west-1`, `us-isob-east-1`, `eusc-de-east-1`. */
export const awsRegion = z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'must be an AWS region');

/** An ARN of a service, of any partition: `aws`, `aws-cn`, `aws-us-gov`, `aws-iso-b`, `aws-eusc`. */
export const awsArn = (service: string) =>
  z.string().regex(new RegExp(`^arn:aws[a-z-]*:${service}:`), `must be an ARN of ${service}`);

/** Name of a table of DynamoDB: part of a pattern. */
export const dynamodbTable = '[A-Za-z0-9_.-]{3,255}';

export const dynamodbTableName = z
  .string()
  .regex(new RegExp(`^${dynamodbTable}$`), 'must be the name of a DynamoDB table');

/** Name of a parameter of SSM with its path, which AWS limits to 15 levels. */
export const ssmParameterName = z
  .string()
  .max(1_011)
  .regex(/^(?:\/[A-Za-z0-9_.-]+){1,15}$/, 'must be the name of an SSM parameter, as /platform/name');

/** A hosted zone's id as it is compared everywhere; Route 53 itself answers `/hostedzone/Z123`. */
export function plainZoneId(id: string): string {
  return id.replace(/^\/?hostedzone\//, '');
}
