import { z } from 'zod';

const labels = z.record(z.string(), z.string()).default({});
/** A Service's is the labels themselves. */
const selector = z.union([
  z.strictObject({ matchLabels: z.record(z.string(), z.string()) }).transform(({ matchLabels }) => matchLabels),
  z.record(z.string(), z.string()),
]);
const envVariable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }).optional(),
});
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) }).optional();
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(envVariable).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  resources: z.object({ requests: labels, limits: labels }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.object({ drop: z.array(z.string()) }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});
const pod = z.object({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.object({
    runAsNonRoot: z.boolean(),
    runAsUser: z.number(),
    seccompProfile: z.object({ type: z.string() }),
  }),
  containers: z.array(container),
  volumes: z.array(z.object({ name: z.string() })),
});
const manifest = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), labels, annotations: labels }),
  spec: z
    .looseObject({
      selector: selector.optional(),
      podSelector: selector.optional(),
      template: z.object({ metadata: z.object({ labels }), spec: pod }).optional(),
    })
    .optional(),
});

export type Container = z.output<typeof container>;
export type PodSpec = z.output<typeof pod>;
type Labels = z.output<typeof labels>;

export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly labels: Labels;
  readonly pod: PodSpec;
  /** That of its pods, where it has one. */
  readonly selector: Labels | undefined;
}

/** What other manifests point at pods by. */
export interface Pointer {
  readonly kind: string;
  readonly name: string;
  readonly selector: Labels;
}

export interface Rendered {
  readonly workloads: readonly Workload[];
  readonly pointers: readonly Pointer[];
  readonly names: ReadonlySet<string>;
}

/** What a chart was rendered to. @throws ZodError when a workload lacks what each has here */
export function readManifests(documents: readonly unknown[]): Rendered {
  const workloads: Workload[] = [];
  const pointers: Pointer[] = [];
  const names = new Set<string>();
  for (const document of documents) {
    const { kind, metadata, spec } = manifest.parse(document);
    names.add(`${kind} ${metadata.name}`);
    const template = kind === 'Pod' ? { metadata, spec: pod.parse(spec) } : spec?.template;
    const selected = spec?.podSelector ?? spec?.selector;
    if (template)
      workloads.push({
        kind,
        name: metadata.name,
        labels: template.metadata.labels,
        pod: template.spec,
        selector: kind === 'Deployment' ? selected : undefined,
      });
    else if (selected) pointers.push({ kind, name: metadata.name, selector: selected });
  }
  return { workloads, pointers, names };
}
