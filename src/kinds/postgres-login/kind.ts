import { z } from 'zod';
import type { Inspection } from '../../db/tenant-databases.ts';
import type { LoginKey } from '../../db/tenant-schema-key.ts';
import { loginName, schemaName } from '../../naming.ts';
import { lostTags, missingThing } from '../framework/differences.ts';
import type { Kind, StepContext } from '../framework/kind.ts';
import type { NotOurs } from '../framework/ownership.ts';
import { text } from '../framework/values.ts';
import { awaitNoSessions } from '../postgres-schema/drain.ts';
import { secretType } from '../postgres-schema/secret-type.ts';
import {
  deletedSecret,
  ensureNewPassword,
  findOwnSecret,
  foreignSecret,
  removeSecret,
  secretOf,
} from '../postgres-schema/secret.ts';
import { loginDifferences, passwordDifferences } from './differences.ts';
import { loginType } from './type.ts';

const spec = z.strictObject({
  database: text,
  /** Which of the tenant's credentials it is: a new one for each rotation. */
  number: z.int().min(2).max(1_000_000),
  connectionLimit: z.int().min(1).max(1000),
});
const outputs = z.strictObject({ role: z.string(), secretArn: z.string() });

type LoginSpec = z.output<typeof spec>;
type LoginOutputs = z.output<typeof outputs>;
type Context = StepContext<LoginSpec, LoginOutputs>;

/**
 * A login role that acts as the owner of the tenant's schema, its password in Secrets Manager only. PostgreSQL has one password per
 * role: to replace it without a refused login, services go over to another role (ADR 16).
 */
export const postgresLogin: Kind<LoginSpec, LoginOutputs, 'secretsmanager:secret' | 'postgres:login'> = {
  name: 'postgres-login',
  spec,
  outputs,
  changeable: ['connectionLimit'],
  residues: [deletedSecret],
  types: { 'postgres:login': loginType, 'secretsmanager:secret': secretType },
  permissions: [
    'secretsmanager:DescribeSecret',
    'secretsmanager:CreateSecret',
    'secretsmanager:TagResource',
    'secretsmanager:GetSecretValue',
    'secretsmanager:PutSecretValue',
    'secretsmanager:UpdateSecretVersionStage',
    'secretsmanager:RestoreSecret',
    'secretsmanager:DeleteSecret',
  ],
  // It waits until the tasks that use it have stopped.
  limits: { remove: { startToCloseMs: 5 * 60_000, heartbeatMs: 10_000 } },
  inCell: ({ database }, within) => within.database(database),
  physicalNames: ({ database, number }) => [{ type: 'postgres:login', name: `${database}/${number}` }],
  resources: (context) => [
    { type: 'secretsmanager:secret', name: secretOf(context, context.stepId) },
    { type: 'postgres:login', name: keyOf(context).name },
  ],

  async ensure(context) {
    const { connectionLimit } = context.spec;
    const [key, secret] = [keyOf(context), secretOf(context, context.stepId)];
    const { arn, password } = await ensureNewPassword(context, secret);
    await context.made([{ type: 'secretsmanager:secret', name: secret }]);
    const made = await context.tenantDatabases.ensureLogin(key, { password, connectionLimit }, context.guard);
    return {
      status: 'ready',
      outputs: { role: key.name, secretArn: arn },
      physicalIds: { [secret]: arn },
      ...(made.created && { anew: [{ type: 'postgres:login', name: key.name }] }),
    };
  },

  async observe(context) {
    const name = secretOf(context, context.stepId);
    const seen = await context.tenantDatabases.inspectLogin(keyOf(context));
    const secret = await findOwnSecret(context, name);
    const { renamed } = seen;
    const detail = [
      `login role ${seen.role}`,
      `secret ${secret ? 'present' : 'absent'}`,
      ...renamed.map((one) => `role ${one.name} bears its mark`),
    ].join(', ');
    if (seen.role === 'ours' && secret) return { status: 'ready', detail };
    const others = await context.notOurs([
      ...foreignLogin(context, seen),
      ...(secret ? [] : await foreignSecret(context, name)),
    ]);
    return seen.role === 'ours' || secret || renamed.length > 0
      ? { status: 'pending', detail }
      : { status: 'absent', detail, others };
  },

  async differs(context) {
    const { aws, spec, tags, tenantDatabases } = context;
    const [key, name] = [keyOf(context), secretOf(context, context.stepId)];
    const secret = await aws.secrets.findSecret(name);
    const inspection = await tenantDatabases.inspectLogin(key);
    const login = inspection.role === 'ours' ? await tenantDatabases.findLogin(key) : undefined;
    const found = loginDifferences({ key, ...spec, inspection, login });
    if (!secret || secret.deletionDate !== undefined) return [...found, missingThing('secretsmanager:secret', name)];
    const lost = lostTags(tags, secret.tags);
    if (lost.length > 0 || login?.canLogin !== true) return [...found, ...lost];
    const password = await aws.secrets.readSecret(secret.arn);
    return [...found, ...passwordDifferences(await tenantDatabases.tryLogin(key, password))];
  },

  async remove(context) {
    const key = keyOf(context);
    const name = secretOf(context, context.stepId);
    const seen = await context.tenantDatabases.inspectLogin(key);
    const others = await context.notOurs(foreignLogin(context, seen));
    if (seen.role === 'ours') await awaitNoSessions(context, key);
    await context.tenantDatabases.dropLogin(key, context.guard);
    await context.gone([{ type: 'postgres:login', name: key.name }]);
    const residue = await removeSecret(context, name);
    if (!residue)
      return { status: 'removed', missing: true, others: await context.notOurs(await foreignSecret(context, name)) };
    return { status: 'removed', others, residues: [residue] };
  },
};

/** A role of the name that does not bear this tenant's mark, and may be what was made: that one has no other name. */
function foreignLogin(context: Context, { role, renamed }: Pick<Inspection, 'role' | 'renamed'>): NotOurs[] {
  if (role !== 'foreign' || renamed.length > 0) return [];
  const { name, database } = keyOf(context);
  const mark = "its comment is not this tenant's mark";
  return [{ type: 'postgres:login', name, physicalId: `${database}/${name}`, mark }];
}

function keyOf({ spec: { database, number }, tenant, installationId, operation, stepId }: Context): LoginKey {
  return {
    database,
    name: loginName(tenant.id, number),
    owner: schemaName(tenant.id),
    ownership: { installationId, tenantId: tenant.id, product: tenant.product, operationId: operation.id, stepId },
  };
}
