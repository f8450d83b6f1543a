import { createHash } from 'node:crypto';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { AwsError } from '../answer.ts';
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

export interface SecretParts {
  readonly upstream: Upstream;
  readonly exclusion: Exclusion;
}

/** CreateSecret as AWS has it: repeatable with its token, and its own refusal while the name is in its recovery window. */
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
  return {
    // In turn: the same creation sent twice at once has one answer.
    CreateSecret: (call) => {
      const parsed = createInput.safeParse(parse(call));
      if (!parsed.success) return upstream.forward(call);
      const input = parsed.data;
      return exclusion.run(`secret/${scopeKey(call.scope)}/${input.Name}`, () => create(call, input));
    },
  };
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
