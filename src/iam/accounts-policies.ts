import { z } from 'zod';
import type { Kind } from '../kinds/framework/kind.ts';
import { neededActions } from './needed-actions.ts';

const policy = z.object({
  Statement: z.array(z.object({ Effect: z.literal('Allow'), Action: z.array(z.string()) })),
});

/** Actions that the policies of accounts need not hold, each with why. */
export const notForAccounts: Readonly<Record<string, string>> = {
  'iam:PassRole': 'only where the product names a role for CloudFormation, whose ARN Terraform does not know',
  'secretsmanager:GetSecretValue': 'only where a parameter is filled from a secret: the policy of the role data has it',
  'kms:Encrypt': 'SecureStrings under the key that AWS manages need no rights of their own',
  'kms:Decrypt': 'the same',
};

/** Actions that kinds of accounts need and none of these policies allows. Patterns of actions end in `*`. */
export function lackingForAccounts(policies: readonly string[], kinds: readonly Kind[]): string[] {
  const allowed = policies.flatMap((text) => policy.parse(JSON.parse(text)).Statement.flatMap(({ Action }) => Action));
  const isAllowed = (action: string) =>
    allowed.some((one) => (one.endsWith('*') ? action.startsWith(one.slice(0, -1)) : one === action));
  return neededActions('accounts', kinds).filter((action) => !(action in notForAccounts) && !isAllowed(action));
}
