import { createHash } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  ResourceNotFoundException,
} from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { AwsError, jsonAnswer } from '../answer.ts';
import type { Exclusion } from '../exclusion.ts';
import type { Handler } from '../pipeline.ts';
import { scopeKey, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';

const createInput = z.looseObject({
  Name: z.string(),
  ClientRequestToken: z.string().optional(),
  SecretString: z.string().optional(),
  SecretBinary: z.string().optional(),
});

type CreateInput = z.infer<typeof createInput>;

const putInput = z.looseObject({
  SecretId: z.string(),
  ClientRequestToken: z.string(),
  SecretString: z.string(),
});

type PutInput = z.infer<typeof putInput>;

export interface SecretParts {
  readonly upstream: Upstream;
  readonly exclusion: Exclusion;
}

/**
 * CreateSecret as AWS has it: repeatable with its token, and its own refusal while the name is in its recovery window. PutSecretValue
 * with a token that a version has already changes nothing, and is refused with another value.
 */
export function createSecretHandlers({ upstream, exclusion }: SecretParts): Record<string, Handler> {
  const creations = new Map<string, Answer>();
  const create = async (call: Call, input: CreateInput): Promise<Answer> => {
    const answer = await upstream.forward(call);
    const key = creationKey(call, input);
    if (answer.status < 300) {
      creations.set(key, answer);
      return answer;
    }
    if (!answer.body.includes('ResourceExistsException')) return answer;
    const existing = await upstream
      .clients(call.scope)
      .secrets.send(new DescribeSecretCommand({ SecretId: input.Name }));
    if (existing.DeletedDate) {
      throw new AwsError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    const earlier = creations.get(key);
    return input.ClientRequestToken && earlier?.body.includes(existing.ARN ?? ' ') ? earlier : answer;
  };
  const put = async (call: Call, input: PutInput): Promise<Answer> => {
    const { secrets } = upstream.clients(call.scope);
    const version = { SecretId: input.SecretId, VersionId: input.ClientRequestToken };
    const stored = await secrets.send(new GetSecretValueCommand(version)).catch(undefinedIfMissing);
    if (!stored) return upstream.forward(call);
    if (stored.SecretString !== input.SecretString)
      throw new AwsError(
        'ResourceExistsException',
        `You can't use ClientRequestToken ${input.ClientRequestToken} because that value is already in use for a version of secret ${stored.ARN}.`,
      );
    const { ARN, Name, VersionId, VersionStages } = stored;
    return jsonAnswer({ ARN, Name, VersionId, VersionStages });
  };
  return {
    PutSecretValue: (call) => {
      const parsed = putInput.safeParse(parse(call));
      if (!parsed.success) return upstream.forward(call);
      const input = parsed.data;
      return exclusion.run(`secret/${scopeKey(call.scope)}/${input.SecretId}`, () => put(call, input));
    },
    // In turn: the same creation sent twice at once has one answer.
    CreateSecret: (call) => {
      const parsed = createInput.safeParse(parse(call));
      if (!parsed.success) return upstream.forward(call);
      const input = parsed.data;
      return exclusion.run(`secret/${scopeKey(call.scope)}/${input.Name}`, () => create(call, input));
    },
  };
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof ResourceNotFoundException || error instanceof InvalidRequestException) return undefined;
  throw error;
}

/** Token and a digest of the content: the gateway keeps no secret. */
function creationKey(call: Call, input: CreateInput): string {
  const content = createHash('sha256')
    .update(JSON.stringify([input.SecretString, input.SecretBinary]))
    .digest('hex');
  return [scopeKey(call.scope), input.Name, input.ClientRequestToken ?? '', content].join('|');
}

function parse(call: Call): unknown {
  try {
    return JSON.parse(call.body.toString('utf8'));
  } catch {
    return undefined;
  }
}
