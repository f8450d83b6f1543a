import type { ContainerDefinition, TaskDefinition } from '@aws-sdk/client-ecs';
import type { ServiceTarget } from './ecs-service.ts';
import type { Template } from './template.ts';

/** The container that a tenant's requests go to, and its port. */
export interface AppContainer {
  readonly containerName: string;
  readonly containerPort: number;
}

/** `problem`: what is wrong with the template and what to change, to be read after its name. */
export type AppFound = AppContainer | { readonly problem: string };

/**
 * Which of a template's containers is the application: what its own load balancer sends requests to. A template without a load
 * balancer has to leave no choice. Pure.
 */
export function findApp({ service, definition }: Pick<Template, 'service' | 'definition'>): AppFound {
  const named = distinct(service.targets);
  const candidates = named.length > 0 ? named : tcpPorts(definition);
  const [app, ...others] = candidates;
  if (!app) return { problem: 'maps no TCP port: map the one that the application listens on' };
  if (others.length > 0) return { problem: ambiguous(candidates, named.length > 0) };
  return checkApp(app, definition);
}

function distinct(targets: readonly ServiceTarget[]): AppContainer[] {
  return [...new Map(targets.map((target) => [show(target), target])).values()];
}

function ambiguous(candidates: readonly AppContainer[], byLoadBalancers: boolean): string {
  const list = candidates.map(show).join(', ');
  return byLoadBalancers
    ? `has load balancers for several containers or ports (${list}): keep those of the one that tenants' requests go to`
    : `has no load balancer and maps several TCP ports (${list}): give the service a load balancer that names the container and port of the application`;
}

function checkApp(app: AppContainer, { containerDefinitions = [] }: TaskDefinition): AppFound {
  const container = containerDefinitions.find(({ name }) => name === app.containerName);
  const wrong = (why: string) => ({ problem: `sends its load balancer's requests to ${show(app)}, ${why}` });
  if (!container) return wrong('but its task definition has no such container: correct one of the two');
  const mapped = (container.portMappings ?? []).filter(({ containerPort }) => containerPort === app.containerPort);
  if (mapped.length === 0) return wrong('a port that the container does not map: map it');
  if (!mapped.some(isTcp)) return wrong('a port that is mapped by UDP: map it by TCP');
  if (container.essential === false) {
    return {
      problem: `has an application (${app.containerName}) that is not essential: a task would go on without it`,
    };
  }
  const { containerName, containerPort } = app;
  return { containerName, containerPort };
}

function tcpPorts({ containerDefinitions = [] }: TaskDefinition): AppContainer[] {
  return containerDefinitions.flatMap(({ name, portMappings = [] }) =>
    portMappings.filter(isTcp).flatMap(({ containerPort, containerPortRange }) => {
      const port = containerPort ?? Number(containerPortRange?.split('-')[0]);
      return name === undefined || Number.isNaN(port) ? [] : [{ containerName: name, containerPort: port }];
    }),
  );
}

function isTcp({ protocol = 'tcp' }: NonNullable<ContainerDefinition['portMappings']>[number]): boolean {
  return protocol === 'tcp';
}

function show({ containerName, containerPort }: AppContainer): string {
  return `${containerName}:${containerPort}`;
}
