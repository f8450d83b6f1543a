import { FINALIZE_STEP, refsIn, type Step } from '../contracts/blueprint.ts';
import { postgresLogin } from '../kinds/postgres-login/kind.ts';
import { postgresPassword } from '../kinds/postgres-password/kind.ts';
import { postgresSchema } from '../kinds/postgres-schema/kind.ts';
import type { BlueprintRequest } from './product.ts';

/**
 * The steps of a tenant whose credentials were rotated. With the first ones whoever refers to the secret of a schema logs in as its owner;
 * with each later number by a login of its own, and the owner's password is replaced once nothing uses it any more (ADR 16).
 */
export function stepsWithCredentials(
  { credentials = 1 }: Pick<BlueprintRequest, 'credentials'>,
  steps: readonly Step[],
): readonly Step[] {
  if (credentials === 1) return steps;
  const schemas = steps.filter(({ kind }) => kind === postgresSchema.name);
  return schemas.reduce((all, schema, i) => withLogin(all, schema, i === 0 ? '' : `:${schema.id}`, credentials), steps);
}

function withLogin(steps: readonly Step[], schema: Step, suffix: string, number: number): readonly Step[] {
  const users = new Set(
    steps.filter(({ spec }) => refsIn(spec).includes(`${schema.id}.secretArn`)).map(({ id }) => id),
  );
  if (users.size === 0) return steps;
  const { database, connectionLimit } = schema.spec;
  const login: Step = {
    id: `create_login:${number}${suffix}`,
    kind: postgresLogin.name,
    needs: [schema.id],
    spec: { database, number, connectionLimit },
  };
  const revocation: Step = {
    id: `revoke_password:${number}${suffix}`,
    kind: postgresPassword.name,
    needs: [schema.id, ...descendants(steps, users)],
    undoFirst: true,
    spec: { database, schemaStep: schema.id },
  };
  const moved = steps.map((step) => {
    if (users.has(step.id)) return loggingInBy(login, schema, step);
    return step.id === FINALIZE_STEP ? { ...step, needs: [...step.needs, revocation.id] } : step;
  });
  return [...moved.flatMap((step) => (step.id === schema.id ? [step, login] : [step])), revocation];
}

/** Whoever uses the login, and whatever comes after that but the commit: only then nobody has the old password any more. */
function descendants(steps: readonly Step[], users: ReadonlySet<string>): string[] {
  const found = new Set(users);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const { id, needs } of steps) if (needs.some((need) => found.has(need))) found.add(id);
  }
  found.delete(FINALIZE_STEP);
  return [...found];
}

function loggingInBy(login: Step, schema: Step, step: Step): Step {
  const refs = new Map(['role', 'secretArn'].map((output) => [`${schema.id}.${output}`, `${login.id}.${output}`]));
  return { ...step, needs: [...step.needs, login.id], spec: withRefs(step.spec, refs) };
}

function withRefs<T>(value: T, refs: ReadonlyMap<string, string>): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withRefs(item, refs)) as T;
  const [ref, ...others] = refsIn(value);
  if (ref !== undefined && others.length === 0 && 'ref' in value && value.ref === ref)
    return { ref: refs.get(ref) ?? ref } as T;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withRefs(inner, refs)])) as T;
}
