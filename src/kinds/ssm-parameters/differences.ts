import type { Parameter, SecureValue } from '../../aws/ssm-marked.ts';
import { describeHolder, isOwnedBy, ownerOf, type Tags } from '../../aws/tags.ts';
import type { Difference } from '../../contracts/drift.ts';
import { changedFields, lostTags, missingThing } from '../framework/differences.ts';
import type { SetParameter } from './spec.ts';

export const PARAMETER = 'ssm:parameter' as const;

/** A parameter of the set, what it is to be, and what is there. */
export interface ParameterSeen {
  readonly of: SetParameter;
  /** Text of a String, or the value of a secret. */
  readonly wanted: string;
  readonly found: Parameter | undefined;
  /** Of an own SecureString. */
  readonly secure: SecureValue | undefined;
}

export interface WantedTags {
  /** The ownership mark. */
  readonly mark: Tags;
  /** Of the spec. */
  readonly own: Tags;
}

/** What sets one parameter apart from its spec. Pure. */
export function parameterDifferences(seen: ParameterSeen, tags: WantedTags): Difference[] {
  const { found, of } = seen;
  if (!found) return [missingThing(PARAMETER, of.name)];
  const named = (field: string) => `${of.key}.${field}`;
  const lost = lostTags(tags.mark, found.tags).map((one) => ({ ...one, field: named(one.field) }));
  if (!isOwnedBy(found.tags, ownerOf(tags.mark)))
    return lost.map((one) => ({ ...one, found: describeHolder(found.tags) }));
  if (found.type !== of.type)
    return [
      ...lost,
      ...changedFields({ [named('type')]: [of.type, found.type] }).map((one) => ({ ...one, remedy: 'hand' }) as const),
    ];
  const isOther = hasOtherValue(seen);
  const isSecure = of.type === 'SecureString';
  const value = isSecure
    ? ([isOther ? 'that of its secret' : '', isOther ? 'another' : ''] as const)
    : ([seen.wanted, isOther ? found.value : seen.wanted] as const);
  return [
    ...lost,
    ...changedFields({ [named('value')]: value }),
    ...(isSecure && hasOtherKey(seen) ? changedFields({ [named('keyId')]: [keyOf(of), seen.secure?.keyId] }) : []),
    ...changedFields(
      Object.fromEntries(
        Object.entries(tags.own).map(([key, wanted]) => [named(`tags.${key}`), [wanted, found.tags[key]]]),
      ),
    ),
  ];
}

/** Whether the value is to be written over. What is written once is whatever others made of it. */
export function hasOtherValue({ found, of, secure, wanted }: ParameterSeen): boolean {
  return !of.isInitial && wanted !== (of.type === 'SecureString' ? secure?.value : found?.value);
}

/** AWS tells the key as it was named: a key by its id may be told by its ARN. */
export function hasOtherKey({ of, secure }: ParameterSeen): boolean {
  const wanted = keyOf(of);
  const found = secure?.keyId;
  return found !== wanted && found?.endsWith(`:key/${wanted}`) !== true && !wanted.endsWith(`:key/${found ?? ''}`);
}

function keyOf({ keyId }: SetParameter): string {
  return keyId ?? 'alias/aws/ssm';
}

/** Tags to be put on, and those to be taken off that only an earlier spec had. Pure. */
export function tagChanges(
  found: Tags,
  wanted: Tags,
  earlier: readonly string[],
): { readonly put: Tags; readonly drop: readonly string[] } {
  const put = Object.entries(wanted).filter(([key, value]) => found[key] !== value);
  const drop = earlier.filter((key) => wanted[key] === undefined && found[key] !== undefined);

  return { put: Object.fromEntries(put), drop: [...new Set(drop)] };
}
