import type { ContainerDefinition, TaskDefinition, Volume } from '@aws-sdk/client-ecs';
import { isOfferedByFargate } from '../fargate-sizes.ts';

/**
 * What Fargate could not run behind a load balancer, most of which RegisterTaskDefinition refuses of a clone. As sentences, to be
 * read after the template's name. Pure.
 */
export function fargateProblems(definition: TaskDefinition): string[] {
  const { compatibilities = [], cpu, executionRoleArn, memory, networkMode, volumes = [] } = definition;
  return [
    ...when(networkMode !== 'awsvpc', 'has no network mode awsvpc, which Fargate needs'),
    ...when(!cpu || !memory, 'sets no cpu and memory for the task, which Fargate needs'),
    ...when(
      compatibilities.length > 0 && !compatibilities.includes('FARGATE'),
      `was registered for ${compatibilities.join(' and ')} only: register it for FARGATE`,
    ),
    // AWS asks it of a task definition with awslogs, secrets or images of ECR: a template may do without, no clone can.
    ...when(
      !executionRoleArn,
      'names no execution role, which Fargate needs for the logs, secrets and images of a clone',
    ),
    ...volumes.filter(isOfHost).map(({ name = '?' }) => `has volume ${name} on its host, which Fargate does not have`),
    // What AWS says of Fargate goes before what we know of it.
    ...(compatibilities.includes('FARGATE') ? [] : unsupported(definition)),
  ];
}

/** Source: "Amazon ECS task definition differences for Fargate" in the ECS developer guide. */
function unsupported(definition: TaskDefinition): string[] {
  const { containerDefinitions = [] } = definition;
  return [
    ...sizeProblems(definition),
    ...settings(taskSettings(definition), ''),
    ...containerDefinitions.flatMap((container) =>
      settings(containerSettings(container), ` in container ${container.name ?? '?'}`),
    ),
  ];
}

function sizeProblems({ cpu, memory }: TaskDefinition): string[] {
  if (!cpu || !memory) return [];
  return when(
    !isOfferedByFargate(Number(cpu), Number(memory)),
    `sets cpu ${cpu} with memory ${memory}, which Fargate does not offer together`,
  );
}

function isOfHost({ host, dockerVolumeConfiguration }: Volume): boolean {
  return dockerVolumeConfiguration !== undefined || Boolean(host?.sourcePath);
}

function taskSettings({ ipcMode, pidMode, placementConstraints }: TaskDefinition) {
  return {
    ipcMode,
    // `task` is the other one, which Fargate has.
    pidMode: pidMode === 'host' ? pidMode : undefined,
    placementConstraints,
  };
}

function containerSettings(container: ContainerDefinition) {
  const { linuxParameters, resourceRequirements = [] } = container;
  const { disableNetworking, dnsSearchDomains, dnsServers, dockerSecurityOptions, extraHosts, links, privileged } =
    container;
  const { capabilities, devices, maxSwap, sharedMemorySize, swappiness, tmpfs } = linuxParameters ?? {};
  return {
    ...{ disableNetworking, dnsSearchDomains, dnsServers, dockerSecurityOptions, extraHosts, links, privileged },
    'linuxParameters.capabilities.add': (capabilities?.add ?? []).filter((name) => name !== 'SYS_PTRACE'),
    'linuxParameters.devices': devices,
    'linuxParameters.maxSwap': maxSwap,
    'linuxParameters.sharedMemorySize': sharedMemorySize,
    'linuxParameters.swappiness': swappiness,
    'linuxParameters.tmpfs': tmpfs,
    'resourceRequirements GPU': resourceRequirements.filter(({ type }) => type === 'GPU'),
  };
}

function settings(found: Readonly<Record<string, unknown>>, where: string): string[] {
  return Object.entries(found)
    .filter(([, value]) => isSet(value))
    .map(([name]) => `sets ${name}${where}, which Fargate does not have`);
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return ![undefined, null, false, ''].some((none) => none === value);
}

function when(holds: boolean, problem: string): string[] {
  return holds ? [problem] : [];
}
