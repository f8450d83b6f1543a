import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readManifests } from '../../../scripts/deployment/manifests.ts';
import { workloadProblems } from '../../../scripts/deployment/workload-problems.ts';
import { examplePlatform } from '../../support/platform.ts';

const directory = mkdtempSync(join(tmpdir(), 'tenantry-manifests-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const platformFile = join(directory, 'platform.json');
writeFileSync(platformFile, JSON.stringify(examplePlatform()));

const secret = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: 'tenantry', key: name } } });
const probe = (path: string) => ({ httpGet: { path, port: 'http' } });

/** An API and its Service, as the chart has them. */
function api() {
  const labels = { app: 'tenantry', component: 'api' };
  const container = {
    name: 'api',
    image: 'r:1',
    args: ['api'],
    env: [
      secret('DATABASE_URL'),
      secret('TENANTRY_PAYLOAD_KEY'),
      { name: 'TEMPORAL_ADDRESS', value: 'temporal:7233' },
      { name: 'PLATFORM_CONFIG', value: '/config/platform.json' },
      { name: 'TENANTRY_API_HOST', value: '0.0.0.0' },
      { name: 'TENANTRY_SERVICE_KEYS', value: 'true' },
      { name: 'TENANTRY_DRAIN_DELAY', value: '10s' },
    ],
    ports: [{ name: 'http', containerPort: 3006 }],
    startupProbe: probe('/healthz'),
    livenessProbe: probe('/healthz'),
    readinessProbe: probe('/readyz'),
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'config', mountPath: '/config', readOnly: true },
    ],
  };
  const pod = {
    serviceAccountName: 'api',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 60,
    securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [{ name: 'tmp' }, { name: 'config' }],
  };
  const service = { kind: 'Service', metadata: { name: 'api' }, spec: { selector: { ...labels } } };
  const deployment = {
    kind: 'Deployment',
    metadata: { name: 'api' },
    spec: { selector: { matchLabels: { ...labels } }, template: { metadata: { labels: { ...labels } }, spec: pod } },
  };
  const account = { kind: 'ServiceAccount', metadata: { name: 'api' } };
  return { container, pod, service, deployment, account };
}

function problemsAfter(change: (manifests: ReturnType<typeof api>) => void): string[] {
  const manifests = api();
  change(manifests);
  const { service, deployment, account } = manifests;
  return workloadProblems(readManifests([service, deployment, account]), { secrets: ['tenantry'], platformFile });
}

describe('what is looked for in a rendered chart', () => {
  it('is not in one that is right', () => {
    expect(problemsAfter(() => undefined)).toEqual([]);
  });

  const set = (name: string, value: string) => ({ name, value });
  it.each<[string, (manifests: ReturnType<typeof api>) => void]>([
    [
      'Deployment api: TENANTRY_SWEEP is read by nobody',
      ({ container }) => container.env.push(set('TENANTRY_SWEEP', '1h')),
    ],
    [
      'Deployment api: LOG_LEVEL is given twice',
      ({ container }) => container.env.push(set('LOG_LEVEL', 'info'), set('LOG_LEVEL', 'info')),
    ],
    [
      'Deployment api: TEMPORAL_API_KEY stands in the manifest',
      ({ container }) => container.env.push(set('TEMPORAL_API_KEY', 'k')),
    ],
    [
      'Deployment api: TEMPORAL_API_KEY comes from key of tenantry',
      ({ container }) =>
        container.env.push({ name: 'TEMPORAL_API_KEY', valueFrom: { secretKeyRef: { name: 'tenantry', key: 'key' } } }),
    ],
    [
      'Deployment api: the API is given AWS_REGION',
      ({ container }) => container.env.push(set('AWS_REGION', 'eu-west-1')),
    ],
    ['Deployment api: is killed before 45 s', ({ pod }) => (pod.terminationGracePeriodSeconds = 45)],
    ['Deployment api: gets a token of Kubernetes', ({ pod }) => (pod.automountServiceAccountToken = true)],
    ['Deployment api: runs as root', ({ pod }) => (pod.securityContext.runAsUser = 0)],
    ['Deployment api: has no seccomp profile', ({ pod }) => (pod.securityContext.seccompProfile.type = 'Unconfined')],
    ['Deployment api: there is no service account other', ({ pod }) => (pod.serviceAccountName = 'other')],
    [
      'Deployment api: keeps rights of Linux',
      ({ container }) => (container.securityContext.capabilities.drop = ['NET_RAW']),
    ],
    [
      'Deployment api: keeps rights of Linux',
      ({ container }) => (container.securityContext.readOnlyRootFilesystem = false),
    ],
    ['Deployment api: has no requests or limit', ({ container }) => Object.assign(container.resources, { limits: {} })],
    ['Deployment api: mounts a volume config that there is not', ({ pod }) => pod.volumes.pop()],
    [
      'Deployment api: may write to /tmp, /config',
      ({ container }) => container.volumeMounts.forEach((mount) => delete mount.readOnly),
    ],
    [
      'Deployment api: its liveness probe asks http/readyz',
      ({ container }) => (container.livenessProbe = probe('/readyz')),
    ],
    ['Deployment api: nobody knows the command apis', ({ container }) => (container.args = ['apis'])],
    ['Service api: finds pods of 0 workloads', ({ service }) => (service.spec.selector.component = 'worker')],
    [
      'Deployment api: selects other pods than its own',
      ({ deployment }) => (deployment.spec.selector.matchLabels.component = 'worker'),
    ],
  ])('%s', (problem, change) => {
    expect(problemsAfter(change)).toEqual([problem]);
  });

  it('is a configuration that the process would not start with', () => {
    const [problem = ''] = problemsAfter(
      ({ container }) => (container.env = container.env.filter(({ name }) => name !== 'DATABASE_URL')),
    );
    expect(problem).toMatch(/^Deployment api: The configuration cannot be used:[\s\S]*DATABASE_URL is not set/);
  });
});
