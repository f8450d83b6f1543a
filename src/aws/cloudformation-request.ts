import type { Capability } from '@aws-sdk/client-cloudformation';
import { StepError } from '../contracts/step-error.ts';
import { awsMessage, isAwsError } from './errors.ts';
import { keyValueList, type Tags } from './tags.ts';

/** Where a template is: in the request, or an object in S3, of a version or the latest. */
export type StackTemplate =
  { readonly body: string } | { readonly bucket: string; readonly key: string; readonly version?: string | undefined };

/** What a stack is made of, and changed to. */
export interface StackInput {
  readonly template: StackTemplate;
  readonly parameters: Readonly<Record<string, string>>;
  readonly capabilities: readonly Capability[];
  readonly tags: Tags;
  readonly roleArn: string | undefined;
}

/** What creations and change sets have in common. */
export function stackRequest({ template, parameters, capabilities, tags, roleArn }: StackInput, region: string) {
  return {
    ...('body' in template ? { TemplateBody: template.body } : { TemplateURL: templateUrl(template, region) }),
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    Capabilities: [...capabilities],
    Tags: keyValueList(tags),
    ...(roleArn !== undefined && { RoleARN: roleArn }),
  };
}

function templateUrl(
  { bucket, key, version }: Extract<StackTemplate, { readonly key: string }>,
  region: string,
): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const query = version === undefined ? '' : `?versionId=${encodeURIComponent(version)}`;
  return `https://${bucket}.s3.${region}.amazonaws.com/${path}${query}`;
}

/** `Stack with id ... does not exist`, `Stack [...] does not exist`: not the object of a template. */
const missing = /^Stack\b.*does not exist/;
/** It passes: an operation is going on at the stack, or the look before was older than what AWS speaks of. */
const passing = [/_IN_PROGRESS\b/, /TerminationProtection is enabled/, missing];

/** AWS has no code of its own for a stack that is not there. */
export function isMissingStack(error: unknown): boolean {
  return isAwsError(error, 'ValidationError') && missing.test(awsMessage(error));
}

/** The next attempt looks first. */
export function retryableIfPassing(error: unknown): unknown {
  if (!(error instanceof StepError) || !isAwsError(error, 'ValidationError')) return error;
  if (!passing.some((pattern) => pattern.test(awsMessage(error)))) return error;
  return new StepError('CONFLICT_RETRYABLE', error.message, { detail: error.detail, cause: error.cause });
}
