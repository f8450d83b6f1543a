import type { Difference } from '../../contracts/drift.ts';
import type { Inspection } from '../../db/tenant-databases.ts';
import type { LoginAttributes } from '../../db/tenant-logins.ts';
import type { TenantSession } from '../../db/tenant-schema-examination.ts';
import type { LoginKey } from '../../db/tenant-schema-key.ts';
import { changedFields, missingThing } from '../framework/differences.ts';

export interface LoginSeen {
  readonly key: Pick<LoginKey, 'name' | 'owner' | 'database'>;
  readonly number: number;
  readonly connectionLimit: number;
  readonly inspection: Pick<Inspection, 'role' | 'renamed'>;
  readonly login: LoginAttributes | undefined;
}

/** What sets a tenant's login role apart from its spec. Pure. */
export function loginDifferences({ key, number, connectionLimit, inspection, login }: LoginSeen): Difference[] {
  const { renamed, role } = inspection;
  if (renamed.length > 0)
    return renamed.map(({ name }): Difference => ({
      ...byHand,
      is: 'changed',
      field: 'role.name',
      wanted: key.name,
      found: name,
    }));
  if (role === 'foreign')
    return changedFields({ 'role.mark': ['this tenant', 'not this tenant'] }).map((one) => ({ ...one, ...byHand }));
  if (role === 'absent' || !login) return [missingThing('postgres:login', `${key.database}/${number}`)];
  return [
    ...changedFields({
      'role.canLogin': [true, login.canLogin],
      'role.connectionLimit': [connectionLimit, login.connectionLimit],
      'role.actsAsOwner': [true, login.actsAsOwner],
    }),
    ...settingDifferences(key.owner, login.settings),
    ...beyond('role.privilege', login.privileges),
    ...beyond(
      'role.memberOf',
      login.memberOf.filter((name) => name !== key.owner),
    ),
  ];
}

const byHand = { remedy: 'hand' } as const;

/** Its sessions begin as the owner: what they make is the owner's. Others change nothing of that. */
function settingDifferences(owner: string, settings: readonly string[]): Difference[] {
  const wanted = { role: owner, search_path: owner };
  return Object.entries(wanted).flatMap(([name, value]) => {
    const found = settings.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    return changedFields({ [`role.${name}`]: [value, found?.replaceAll('"', '')] });
  });
}

/** Nothing takes rights away that somebody gave it: whose they are has to be found out. */
function beyond(field: string, found: readonly string[]): Difference[] {
  return found.map((one): Difference => ({ ...byHand, is: 'extra', field, found: one }));
}

/** Whether the password of its secret is the role's: PostgreSQL tells nobody a password, so a session is tried. */
export function passwordDifferences(session: TenantSession): Difference[] {
  return session.is === 'refused'
    ? changedFields({ 'role.password': ['that of its secret', `refused: ${session.why}`] })
    : [];
}
