import type { Kind } from '../kinds/framework/kind.ts';
import { grants, type Condition, type Grant } from './grants.ts';
import { neededActions } from './needed-actions.ts';
import { workerRoles, type WorkerRole } from './roles.ts';

/** A statement whose resources are placeholders of a template. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly string[] | '*';
  readonly Condition?: Condition;
}

/**
 * What a role may do: of each grant the actions that it needs.
 *
 * @throws RangeError when no grant has an action that the role needs
 */
export function statementsOf(role: WorkerRole, kinds: readonly Kind[]): Statement[] {
  const needed = neededActions(role, kinds);
  const own = grants.filter(({ roles }) => roles?.includes(role) ?? true);
  const lacking = needed.filter((action) => !own.some(({ actions }) => actions.includes(action)));
  if (lacking.length > 0) throw new RangeError(`src/iam/grants.ts grants the role ${role} no ${lacking.join(', ')}`);
  return own.flatMap((grant) => {
    const actions = grant.actions.filter((action) => needed.includes(action));
    return actions.length === 0 ? [] : [statementOf(grant, actions)];
  });
}

function statementOf({ sid, on, condition }: Grant, actions: readonly string[]): Statement {
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: actions,
    Resource: on === 'everything' ? '*' : on,
    ...(condition && { Condition: condition }),
  };
}

/** Characters of a managed policy that IAM takes, without white space. Source: IAM's quotas. */
export const LONGEST_POLICY = 6_144;

/** Templates by file name, `<role>.json.tftpl`, then `<role>-2.json.tftpl`: as many as the limit asks for. */
export function policyTemplates(kinds: readonly Kind[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    workerRoles.flatMap((role) =>
      inParts(statementsOf(role, kinds)).map((part, i) => [
        `${role}${i === 0 ? '' : `-${i + 1}`}.json.tftpl`,
        templateText(part),
      ]),
    ),
  );
}

/** Room for an ARN in the place of each placeholder, and for four in the place of a list. */
const ARN_CHARACTERS = 140;
const ARNS_OF_A_LIST = 4;

/** Statements in as few policies as take them in their order. @throws RangeError when one alone is too long */
export function inParts(statements: readonly Statement[], longest = LONGEST_POLICY): Statement[][] {
  const parts: Statement[][] = [];
  for (const statement of statements) {
    if (lengthOf([statement]) > longest) throw new RangeError(`${statement.Sid} alone is longer than ${longest}`);
    const last = parts.at(-1);
    if (last && lengthOf([...last, statement]) <= longest) last.push(statement);
    else parts.push([statement]);
  }
  return parts;
}

/** How long a policy of these may become. */
export function lengthOf(statements: readonly Statement[]): number {
  const filled = statements.map(({ Resource, ...rest }) => ({
    ...rest,
    Resource: Resource === '*' ? Resource : Resource.flatMap(longestOf),
  }));
  const text = JSON.stringify({ Version: '2012-10-17', Statement: filled });
  return text.replaceAll(/\$\{\w+\}/g, 'x'.repeat(ARN_CHARACTERS)).length;
}

function longestOf(name: string): string[] {
  return Array.from({ length: isOne(name) ? 1 : ARNS_OF_A_LIST }, () => 'x'.repeat(ARN_CHARACTERS));
}

function isOne(name: string): boolean {
  return name.endsWith('_arn');
}

/** As Terraform's `templatefile` reads it: lists are put together there, and `jsonencode`d. */
export function templateText(statements: readonly Statement[]): string {
  const text = JSON.stringify({ Statement: statements.map(withMarks) }, undefined, 2);
  return `${text.replaceAll(/"@([^"@]+)@"/g, (_, expression: string) => `\${jsonencode(${expression})}`)}\n`;
}

function withMarks({ Sid, Effect, Action, Resource, Condition: condition }: Statement) {
  const expression = Resource === '*' ? '*' : `@${resourceExpression(Resource)}@`;
  return { Sid, Effect, Action, Resource: expression, ...(condition && { Condition: condition }) };
}

function resourceExpression(names: readonly string[]): string {
  const parts = names.map((name) => (isOne(name) ? `[${name}]` : name));
  return parts.length === 1 ? (parts[0] ?? '[]') : `concat(${parts.join(', ')})`;
}
