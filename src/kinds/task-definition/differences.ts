import type { TaskDefinitionRevision } from '../../aws/ecs-task-definitions.ts';
import type { Difference } from '../../contracts/drift.ts';
import { changedFields } from '../framework/differences.ts';
import type { DefinitionContext } from './spec.ts';

/** What sets the application's container of a revision apart from what the spec gives it, much of it by other steps. Pure. */
export function inputDifferences(
  { environment, logGroup, secrets }: DefinitionContext['spec'],
  { containerDefinitions = [] }: TaskDefinitionRevision['definition'],
  containerName: string | undefined,
): Difference[] {
  const app = containerDefinitions.find(({ name }) => name === containerName);
  const variables = new Map(app?.environment?.map(({ name, value }) => [name, value]));
  const held = new Map(app?.secrets?.map(({ name, valueFrom }) => [name, valueFrom]));
  return changedFields({
    ...fieldsIn('environment', environment, variables),
    ...fieldsIn('secrets', secrets, held),
    logGroup: [logGroup, app?.logConfiguration?.options?.['awslogs-group']],
  });
}

function fieldsIn(
  field: string,
  wanted: Readonly<Record<string, string | number>>,
  found: ReadonlyMap<string | undefined, string | undefined>,
) {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [`${field}.${name}`, [String(value), found.get(name)] as const]),
  );
}
