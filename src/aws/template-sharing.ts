import type { ContainerDefinition, Volume } from '@aws-sdk/client-ecs';
import type { SharedWithTemplate } from '../contracts/platform.ts';
import { suspicionsOf, suspicionsOfCommand } from './template-suspicion.ts';
import type { Template, TemplateUse } from './template.ts';

/**
 * What every tenant would have in common with the template, and so with each other: credentials and data. As sentences, to be
 * read after the template's name; empty for what the cell allows by name. Pure.
 */
export function sharedThings(
  { service, definition }: Pick<Template, 'service' | 'definition'>,
  use: TemplateUse,
): string[] {
  const volumes = (definition.volumes ?? []).filter(isLasting).map(({ name = '?' }) => ({
    name,
    what: `volume ${name} (data that outlives a task)`,
  }));
  const containers = definition.containerDefinitions ?? [];
  const found = {
    volumes,
    secrets: containers.flatMap((container) => secretsOf(container, use)),
    environmentFiles: containers.flatMap(filesOf),
    environment: containers.flatMap((container) => [
      ...variablesOf(container, service.name, use),
      ...textsOf(container, service.name),
    ]),
  } satisfies Record<keyof SharedWithTemplate, Shared[]>;
  return Object.entries(found).flatMap(([list, things]) => {
    const allowed = use.shared[list as keyof SharedWithTemplate] ?? [];
    const refused = things.filter(({ name }) => !allowed.includes(name));
    if (refused.length === 0) return [];
    const names = [...new Set(refused.map(({ name }) => name))];
    const what = [...new Set(refused.map((thing) => thing.what))].join(', ');
    return [
      `would share with every tenant: ${what}. Take it out of the template, or allow it: "sharedWithTemplate": {"${list}": ${JSON.stringify(names)}}`,
    ];
  });
}

interface Shared {
  /** What allows it. */
  readonly name: string;
  readonly what: string;
}

/** Everything but scratch space of the task: a file system, of whatever kind the SDK knows. */
function isLasting({
  name: _name,
  host: _host,
  configuredAtLaunch: _at,
  dockerVolumeConfiguration: _docker,
  ...rest
}: Volume) {
  return Object.values<unknown>(rest).some((value) => value !== undefined && value !== null);
}

function secretsOf({ name: container = '?', secrets = [] }: ContainerDefinition, { given }: TemplateUse): Shared[] {
  return secrets
    .filter(({ name = '' }) => !given.has(name))
    .map(({ name = '?' }) => ({ name, what: `secret ${name} of container ${container}` }));
}

function filesOf({ name: container = '?', environmentFiles = [] }: ContainerDefinition): Shared[] {
  return environmentFiles.map(({ value: name = '?' }) => ({
    name,
    what: `environment file ${name} of container ${container}`,
  }));
}

function variablesOf(
  { name: container = '?', environment = [] }: ContainerDefinition,
  templateName: string,
  { given, perTenant }: TemplateUse,
): Shared[] {
  return environment.flatMap(({ name = '', value = '' }) => {
    if (given.has(name)) return [];
    const ofTenants = perTenant.has(name) ? ['which tenants have of their own'] : [];
    const why = [...ofTenants, ...suspicionsOf(name, value, templateName)];
    return sharedText(name, `variable ${name} of container ${container}`, why);
  });
}

/** Text of a container besides its variables that a clone keeps. Allowed in `environment` too, by the field's name. */
function textsOf(
  { name: container = '?', command = [], entryPoint = [], healthCheck, dockerLabels = {} }: ContainerDefinition,
  templateName: string,
): Shared[] {
  const commands = { command, entryPoint, 'healthCheck.command': healthCheck?.command ?? [] };
  return [
    ...Object.entries(commands).flatMap(([field, words]) =>
      sharedText(field, `${field} of container ${container}`, suspicionsOfCommand(words, templateName)),
    ),
    ...Object.entries(dockerLabels).flatMap(([label, value]) => {
      const field = `dockerLabels.${label}`;
      return sharedText(field, `${field} of container ${container}`, suspicionsOf(label, value, templateName));
    }),
  ];
}

/** All the reasons, not the first: who allows a name allows it for each of them. */
function sharedText(name: string, what: string, why: readonly string[]): Shared[] {
  return why.length === 0 ? [] : [{ name, what: `${what} (${why.join('; ')})` }];
}
