import type { ContainerDefinition, Volume } from '@aws-sdk/client-ecs';
import type { SharedWithTemplate } from '../contracts/platform.ts';
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
    environment: containers.flatMap((container) => variablesOf(container, service.name, use)),
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

/** Everything but scratch space of the task: a file system, and whatever AWS adds. */
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
    const why = perTenant.has(name) ? 'which tenants have of their own' : suspicion(name, value, templateName);
    return why === undefined ? [] : [{ name, what: `variable ${name} of container ${container} (${why})` }];
  });
}

const secretName =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_?KEY(?:_BASE)?|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|ACCESS_KEY_ID|CREDENTIALS?)$/i;
const userinfo = /^[a-z][a-z0-9+.-]*:\/\/[^\s/@]*:[^\s/@]+@/i;
const dataStore =
  /^(?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|sqlserver|oracle|memcached):/i;

/** Why a plain value looks like nobody's to share; undefined for the rest (a log level), which a clone keeps. */
function suspicion(name: string, value: string, templateName: string): string | undefined {
  if (value === '') return undefined;
  if (secretName.test(name)) return 'a credential in plain text';
  if (userinfo.test(value)) return 'a URL with a password in it';
  if (dataStore.test(value)) return 'the address of a data store';
  if (value.toLowerCase() === 'template' || value.includes(templateName)) return "the template's own name";
  return undefined;
}
