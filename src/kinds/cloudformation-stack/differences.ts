import type { Difference } from '../../contracts/drift.ts';
import { changedFields } from '../framework/differences.ts';
import { parametersOf, specTags, type FoundStack, type StackContext } from './spec.ts';
import { HIDDEN, stateOf } from './state.ts';

/** What sets a stack apart from its spec. What somebody changed past CloudFormation, in a resource, is not seen. */
export async function stackDifferences(context: StackContext, found: FoundStack): Promise<readonly Difference[]> {
  const state = stateOf(found);
  if (state === 'in progress') return changedFields({ status: ['CREATE_COMPLETE', found.status] });
  const isStable = state === 'stable';
  const status = isStable ? [] : byHand(changedFields({ status: ['CREATE_COMPLETE', found.status] }));
  const settings = await settingDifferences(context, found);
  return [...status, ...protectionDifference(context, found), ...(isStable ? settings : byHand(settings))];
}

/** What a change set puts right. */
export async function settingDifferences(
  { aws, spec }: Pick<StackContext, 'aws' | 'spec'>,
  { id, parameters, tags }: FoundStack,
): Promise<Difference[]> {
  const given = Object.entries(parametersOf(spec)).filter(([name]) => parameters[name] !== HIDDEN);
  const [wantedTemplate, template] = await Promise.all([templateOf({ aws, spec }), aws.stacks.readTemplate(id)]);
  const wantedTags = { ...spec.tags, ...specTags(spec) };
  return changedFields({
    ...Object.fromEntries(given.map(([name, value]) => [`parameters.${name}`, [value, parameters[name]] as const])),
    ...Object.fromEntries(
      Object.entries(wantedTags).map(([key, value]) => [`tags.${key}`, [value, tags[key]] as const]),
    ),
    template: [plain(wantedTemplate), plain(template)],
  });
}

/** Somebody who protects a stack by hand has a reason. */
function protectionDifference({ spec }: StackContext, { terminationProtection }: FoundStack): Difference[] {
  const changed = changedFields({ terminationProtection: [spec.terminationProtection, terminationProtection] });
  return spec.terminationProtection ? changed : byHand(changed);
}

function byHand(differences: readonly Difference[]): Difference[] {
  return differences.map((one) => ({ ...one, remedy: 'hand' }));
}

function templateOf({ aws, spec: { template } }: Pick<StackContext, 'aws' | 'spec'>): Promise<string> {
  if ('body' in template) return Promise.resolve(template.body);
  return aws.objects.readText(template, template.version);
}

/** XML changes the ends of lines. */
function plain(template: string): string {
  return template.replaceAll('\r\n', '\n').trim();
}
