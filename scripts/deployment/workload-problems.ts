import { STOP_MS } from '../../src/cli/process.ts';
import { loadApiToken, loadApiUrl, loadConfig, loadDatabaseUrl } from '../../src/config.ts';
import { isRead } from './known-variables.ts';
import type { Container, PodSpec, Rendered, Workload } from './manifests.ts';

/** After the time that a server gives itself to end (src/cli/process.ts). */
const LAST_MS = 5_000;

/** What a Secret would hold. */
const secretValues: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://tenantry:p@control/tenantry',
  TENANTRY_PAYLOAD_KEY: Buffer.alloc(32, 1).toString('base64'),
  TEMPORAL_API_KEY: 'key',
  TENANTRY_API_TOKEN: `tnk_${'a'.repeat(43)}`,
};

export interface Expected {
  /** Secrets that manifests may name. */
  readonly secrets: readonly string[];
  /** A file with a platform description. */
  readonly platformFile: string;
}

/** What is wrong with rendered manifests that their schema allows; each a sentence. */
export function workloadProblems(rendered: Rendered, expected: Expected): string[] {
  const problems = rendered.workloads.flatMap((workload) => {
    const found = [
      ...podProblems(workload.pod, rendered),
      ...workload.pod.containers.flatMap((c) => containerProblems(c, workload, expected)),
    ];
    return found.map((problem) => `${workload.kind} ${workload.name}: ${problem}`);
  });
  return [...problems, ...pointerProblems(rendered)];
}

/** Beyond the "restricted" standard for pods: no token of Kubernetes, a user by number. */
function podProblems(pod: PodSpec, { names }: Rendered): string[] {
  const { securityContext: context, serviceAccountName: account } = pod;
  return [
    ...(context.runAsNonRoot && context.runAsUser > 0 ? [] : ['runs as root']),
    ...(context.seccompProfile.type === 'RuntimeDefault' ? [] : ['has no seccomp profile']),
    ...(pod.automountServiceAccountToken ? ['gets a token of Kubernetes'] : []),
    ...(account === undefined || names.has(`ServiceAccount ${account}`)
      ? []
      : [`there is no service account ${account}`]),
  ];
}

function containerProblems(container: Container, workload: Workload, expected: Expected): string[] {
  return [
    ...securityProblems(container),
    ...mountProblems(container, workload.pod),
    ...probeProblems(container, workload.kind),
    ...secretProblems(container, expected.secrets),
    ...environmentProblems(container, workload.pod, expected.platformFile),
  ];
}

function securityProblems({ securityContext: context, resources }: Container): string[] {
  const isRestricted = !context.allowPrivilegeEscalation && context.readOnlyRootFilesystem;
  return [
    ...(isRestricted && context.capabilities.drop.includes('ALL') ? [] : ['keeps rights of Linux']),
    ...(resources.requests.cpu && resources.requests.memory && resources.limits.memory
      ? []
      : ['has no requests or limit']),
  ];
}

function mountProblems({ volumeMounts: mounts }: Container, { volumes }: PodSpec): string[] {
  const missing = mounts.filter(({ name }) => !volumes.some((volume) => volume.name === name));
  const writable = mounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath);
  return [
    ...missing.map(({ name }) => `mounts a volume ${name} that there is not`),
    ...(writable.join() === '/tmp' ? [] : [`may write to ${writable.join(', ') || 'nothing'}`]),
  ];
}

/** The canary tells no one that it is ready: nothing is sent to it. */
function probeProblems(container: Container, kind: string): string[] {
  if (kind !== 'Deployment') return [];
  const { startupProbe: startup, livenessProbe: liveness, readinessProbe: readiness, ports, args } = container;
  const wanted = [
    { name: 'liveness', probe: liveness, wants: '/healthz' },
    { name: 'startup', probe: startup, wants: '/healthz' },
    { name: 'readiness', probe: readiness, wants: '/readyz' },
  ].slice(0, args[0] === 'canary' ? 1 : 3);
  return wanted.flatMap(({ name, probe, wants }) => {
    if (!probe) return [`has no ${name} probe`];
    const { path, port } = probe.httpGet;
    return path === wants && ports.some((one) => one.name === port) ? [] : [`its ${name} probe asks ${port}${path}`];
  });
}

/** No secret stands in a manifest, and each has the name of its key. */
function secretProblems({ env }: Container, secrets: readonly string[]): string[] {
  const isSecret = (name: string) => /DATABASE_URL|PAYLOAD_KEY|API_KEY|CLIENT_(CERT|KEY)_DATA|TOKEN$/.test(name);
  return env.flatMap(({ name, valueFrom }) => {
    if (!valueFrom) return isSecret(name) ? [`${name} stands in the manifest`] : [];
    const { name: from, key } = valueFrom.secretKeyRef;
    return secrets.includes(from) && key === name ? [] : [`${name} comes from ${key} of ${from}`];
  });
}

/** The process is told nothing that it does not read, and can start with it. */
function environmentProblems({ env, args: [command = ''] }: Container, pod: PodSpec, platformFile: string): string[] {
  const names = env.map(({ name }) => name);
  // The command line's, which the canary is.
  const ofCanary = command === 'canary' ? ['TENANTRY_API_TOKEN'] : [];
  const given = Object.fromEntries(
    env.map(({ name, value }) => [name, value ?? secretValues[name] ?? 'postgres://provisioner:p@tenants/tenants']),
  );
  return [
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is given twice`),
    ...names.filter((name) => !isRead(name) && !ofCanary.includes(name)).map((name) => `${name} is read by nobody`),
    ...startProblems(command, { ...given, ...('PLATFORM_CONFIG' in given && { PLATFORM_CONFIG: platformFile }) }, pod),
    ...(command === 'api' ? names.filter((name) => /^(AWS_|TENANT_DATABASE)/.test(name)) : []).map(
      (name) => `the API is given ${name}`,
    ),
  ];
}

function startProblems(command: string, env: Readonly<Record<string, string>>, pod: PodSpec): string[] {
  try {
    if (command === 'migrate') return loadDatabaseUrl(env) ? [] : ['has no database'];
    if (command === 'canary') return loadApiToken(env) && loadApiUrl(env) ? [] : ['shows the API no key'];
    if (command !== 'api' && command !== 'worker' && command !== 'doctor')
      return [`nobody knows the command ${command}`];
    const { drainDelayMs } = loadConfig(command, env);
    if (command === 'doctor') return [];
    const neededMs = STOP_MS + LAST_MS + (command === 'api' ? drainDelayMs : 0);
    return (pod.terminationGracePeriodSeconds ?? 30) * 1_000 > neededMs
      ? []
      : [`is killed before ${neededMs / 1_000} s`];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Each Deployment selects its own pods, and what points at pods finds those of one workload at least. */
function pointerProblems({ workloads, pointers }: Rendered): string[] {
  const chosen = (selector: Readonly<Record<string, string>>) =>
    workloads.filter(({ labels }) => Object.entries(selector).every(([name, value]) => labels[name] === value));
  const deployments = workloads.flatMap(({ name, selector }) => (selector ? [{ name, selector }] : []));
  const wrong = deployments.filter(
    ({ name, selector }) =>
      chosen(selector)
        .map((one) => one.name)
        .join() !== name,
  );
  const lost = pointers.filter(({ selector }) => chosen(selector).length !== 1);
  return [
    ...wrong.map(({ name }) => `Deployment ${name}: selects other pods than its own`),
    ...lost.map(({ kind, name, selector }) => `${kind} ${name}: finds pods of ${chosen(selector).length} workloads`),
  ];
}
