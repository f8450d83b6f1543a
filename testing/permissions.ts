import { strict as assert } from 'node:assert';
import type { Kind } from '../src/kinds/framework/kind.ts';
import type { CallBook } from './call-book.ts';

/** IAM actions that AWS demands beside the action of a call; the call itself does not show them. */
export type DemandedBeside = Readonly<Record<string, readonly string[]>>;

/**
 * Tags in a creation, and roles that are passed on. Source: the service authorization reference, "dependent actions" and "permissions
 * required" of each action.
 */
const demandedBeside: DemandedBeside = {
  'cloudformation:CreateChangeSet': ['iam:PassRole'],
  'cloudformation:CreateStack': ['cloudformation:TagResource', 'iam:PassRole'],
  'ecs:CreateService': ['ecs:TagResource'],
  'ecs:RegisterTaskDefinition': ['ecs:TagResource', 'iam:PassRole'],
  'elasticloadbalancing:CreateRule': ['elasticloadbalancing:AddTags'],
  'elasticloadbalancing:CreateTargetGroup': ['elasticloadbalancing:AddTags'],
  'logs:CreateLogGroup': ['logs:TagResource'],
  'secretsmanager:CreateSecret': ['secretsmanager:TagResource'],
  'sqs:CreateQueue': ['sqs:TagQueue'],
  // With tags, and of SecureStrings with a key.
  'ssm:PutParameter': ['ssm:AddTagsToResource', 'kms:Encrypt'],
  'ssm:GetParameters': ['kms:Decrypt'],
};

/** The permissions that a kind declares are those of its calls, over everything that was tried: no more, no less. */
export function assertPermissions(
  { name, permissions }: Kind,
  book: CallBook,
  { more = {}, isWhole = true }: { readonly more?: DemandedBeside | undefined; readonly isWhole?: boolean } = {},
): void {
  const called = book.actionsOf(name);
  const demanded = called.flatMap((action) => [action, ...(more[action] ?? demandedBeside[action] ?? [])]);
  const undeclared = [...new Set(demanded)].filter((action) => !permissions.includes(action));
  const unused = isWhole ? permissions.filter((action) => !demanded.includes(action)) : [];
  assert.deepEqual(
    { undeclared, unused },
    { undeclared: [], unused: [] },
    `permissions of ${name}: "undeclared" were called; "unused" were not, also where no sample has what leads to them (\`revised\`, \`handChanges\`)${hintFor(unused, called)}`,
  );
}

/** What AWS demands beside a call cannot be seen in the calls: it has to be told. */
function hintFor(unused: readonly string[], called: readonly string[]): string {
  if (unused.length === 0) return '';
  const [action = ''] = unused;
  const service = action.slice(0, action.indexOf(':') + 1);
  const own = called.filter((one) => one.startsWith(service));
  const by = own.find((one) => /:(?:Create|Register|Run|Put)/.test(one)) ?? own[0] ?? `${service}<the call>`;
  return `. What AWS demands beside a call's own action (tags in a creation, a role that is passed on) is told by \`demandedBeside\`, in tenantry.testing.ts or in the options of describeKind: demandedBeside: { '${by}': ['${action}'] }`;
}
