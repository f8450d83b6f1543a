import { CURRENT } from '../../aws/secret-versions.ts';
import type { Secret } from '../../aws/secrets-manager.ts';
import type { Difference } from '../../contracts/drift.ts';
import { changedFields, missingThing } from '../framework/differences.ts';

/**
 * What sets a secret apart from the one whose password was replaced: it is not there, or another version is the current one. Pure.
 * @param version that the replacement made
 */
export function versionDifferences(
  name: string,
  version: string | undefined,
  secret: Pick<Secret, 'versions'> | undefined,
): Difference[] {
  if (!secret) return [missingThing('secretsmanager:secret', name)];
  return changedFields({ 'secret.version': [version, secret.versions[CURRENT]] });
}
