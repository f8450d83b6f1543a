import { z } from 'zod';
import { AwsError } from '../answer.ts';

const set = z.unknown().optional();
const strings = z.array(z.string()).nullish();

const volume = z.looseObject({
  host: z.looseObject({ sourcePath: z.string().nullish() }).nullish(),
  dockerVolumeConfiguration: set,
});

const container = z.looseObject({
  name: z.string().nullish(),
  image: z.string().nullish(),
  privileged: z.boolean().nullish(),
  links: strings,
  disableNetworking: z.boolean().nullish(),
  dnsServers: strings,
  dnsSearchDomains: strings,
  dockerSecurityOptions: strings,
  extraHosts: z.array(z.unknown()).nullish(),
  secrets: z.array(z.unknown()).nullish(),
  linuxParameters: z
    .looseObject({
      capabilities: z.looseObject({ add: strings }).nullish(),
      devices: z.array(z.unknown()).nullish(),
      maxSwap: z.number().nullish(),
      sharedMemorySize: z.number().nullish(),
      swappiness: z.number().nullish(),
      tmpfs: z.array(z.unknown()).nullish(),
    })
    .nullish(),
  portMappings: z
    .array(z.looseObject({ containerPort: z.number().nullish(), hostPort: z.number().nullish() }))
    .nullish(),
  firelensConfiguration: set,
  logConfiguration: z.looseObject({ logDriver: z.string() }).nullish(),
});

/** What RegisterTaskDefinition is asked for, as far as AWS's rules go. */
export const registerInput = z.looseObject({
  family: z.string(),
  networkMode: z.string().nullish(),
  requiresCompatibilities: strings,
  cpu: z.string().nullish(),
  memory: z.string().nullish(),
  executionRoleArn: z.string().nullish(),
  ipcMode: z.string().nullish(),
  pidMode: z.string().nullish(),
  placementConstraints: z.array(z.unknown()).nullish(),
  volumes: z.array(volume).nullish(),
  containerDefinitions: z.array(container).nullish(),
});

type Input = z.infer<typeof registerInput>;
type Container = z.infer<typeof container>;

/** What AWS refuses and MiniStack registers. @throws AwsError ClientException */
export function requireRegistrable(input: Input): void {
  const [problem] = [
    ...(input.requiresCompatibilities?.includes('FARGATE') === true ? fargateProblems(input) : []),
    ...portProblems(input),
    ...logRouterProblems(input),
  ];
  if (problem !== undefined) throw new AwsError('ClientException', problem);
}

/** Words of AWS where its clients report them (virtual-kubelet#193, terraform-provider-aws#3051); else in their manner. */
function fargateProblems(input: Input): string[] {
  const { containerDefinitions, cpu, ipcMode, memory, networkMode, pidMode, placementConstraints, volumes } = input;
  return [
    ...when(networkMode !== 'awsvpc', "Fargate only supports network mode 'awsvpc'."),
    ...when(!cpu, "Fargate requires that 'cpu' be defined at the task level."),
    ...when(!memory, "Fargate requires that 'memory' be defined at the task level."),
    ...when(
      Boolean(cpu && memory) && !isOffered(cpu ?? '', memory ?? ''),
      `No Fargate configuration exists for given values: ${cpu ?? ''} CPU, ${memory ?? ''} memory.`,
    ),
    ...when(
      volumes?.some(({ host }) => Boolean(host?.sourcePath)) === true,
      'Fargate compatible task definitions do not support sourcePath.',
    ),
    ...when(
      volumes?.some(({ dockerVolumeConfiguration: docker }) => isSet(docker)) === true,
      'Fargate compatible task definitions do not support dockerVolumeConfiguration.',
    ),
    ...unsupported({ ipcMode, placementConstraints, pidMode: pidMode === 'host' ? pidMode : undefined }),
    ...(containerDefinitions ?? []).flatMap((given) => unsupported(settingsOf(given))),
    ...(input.executionRoleArn ? [] : (containerDefinitions ?? []).flatMap(roleProblems)),
  ];
}

/** What the agent on Fargate does in the execution role. */
function roleProblems({ image, logConfiguration, secrets }: Container): string[] {
  const why = [
    ...when(/\.dkr\.ecr\.[\w-]+\.amazonaws\.com/.test(image ?? ''), 'ECR images'),
    ...when(logConfiguration?.logDriver === 'awslogs', 'log driver awslogs'),
    ...when(isSet(secrets), 'secrets'),
  ];
  return why.map((what) => `Fargate requires task definition to have execution role ARN to support ${what}.`);
}

/** Fields that Fargate does not take (ECS developer guide, "task definition differences for Fargate"). */
function settingsOf({ linuxParameters, ...given }: Container) {
  const { disableNetworking, dnsSearchDomains, dnsServers, dockerSecurityOptions, extraHosts, links, privileged } =
    given;
  const { capabilities, devices, maxSwap, sharedMemorySize, swappiness, tmpfs } = linuxParameters ?? {};
  return {
    ...{ disableNetworking, dnsSearchDomains, dnsServers, dockerSecurityOptions, extraHosts, links, privileged },
    ...{ devices, maxSwap, sharedMemorySize, swappiness, tmpfs },
    capabilities: (capabilities?.add ?? []).filter((name) => name !== 'SYS_PTRACE'),
  };
}

function unsupported(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields)
    .filter(([, value]) => isSet(value))
    .map(([name]) => `Fargate compatible task definitions do not support ${name}.`);
}

/** Tasks with an interface of their own have no ports of a host. */
function portProblems({ containerDefinitions, networkMode }: Input): string[] {
  const mappings = (containerDefinitions ?? []).flatMap(({ portMappings }) => portMappings ?? []);
  const differ = mappings.some(({ containerPort, hostPort }) => Boolean(hostPort) && hostPort !== containerPort);
  return when(
    networkMode === 'awsvpc' && differ,
    'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
  );
}

function logRouterProblems({ containerDefinitions }: Input): string[] {
  const routes = containerDefinitions?.some(({ firelensConfiguration }) => isSet(firelensConfiguration)) ?? false;
  const isRouted = containerDefinitions?.some((c) => c.logConfiguration?.logDriver === 'awsfirelens') ?? false;
  return when(
    routes && !isRouted,
    'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.',
  );
}

/** GiB of memory that Fargate offers for a number of vCPU: from, to, in steps of. */
const offers: readonly (readonly [vcpu: number, from: number, to: number, step: number])[] = [
  [0.5, 1, 4, 1],
  [1, 2, 8, 1],
  [2, 4, 16, 1],
  [4, 8, 30, 1],
  [8, 16, 60, 4],
  [16, 32, 120, 8],
];

function isOffered(cpu: string, memory: string): boolean {
  const vcpu = /vcpu/i.test(cpu) ? Number.parseFloat(cpu) : Number(cpu) / 1024;
  const gib = /gb/i.test(memory) ? Number.parseFloat(memory) : Number(memory) / 1024;
  if (vcpu === 0.25) return [0.5, 1, 2].includes(gib);
  return offers.some(([v, from, to, step]) => v === vcpu && gib >= from && gib <= to && (gib - from) % step === 0);
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return ![undefined, null, false, ''].some((none) => none === value);
}

function when(holds: boolean, problem: string): string[] {
  return holds ? [problem] : [];
}
