/** A value in a spec: given, or another step's output (`{ ref: '<step id>.<output field>' }`), resolved before the step runs. */
export type Value<T extends string | number> = T | Ref;
export interface Ref {
  readonly ref: string;
}

/** The parts of a pooled tenant that have a service each. */
export type Component = 'backend' | 'frontend';

/**
 * Every resource kind: what its spec holds and what its `ensure` gives to other steps. A new kind is a row here,
 * a file in `src/activities/kinds/` and a row in its registry (docs/adding-a-kind.md).
 */
export interface KindMap {
  /** The slug, confirmed for this tenant, and the landing zone looked at before anything is made. */
  'slug-reservation': {
    spec: { slug: string; templateServices: readonly string[] };
    outputs: { slug: string };
  };
  /** Schema and login role of its own (both named from the tenant id), password in Secrets Manager, tenant migrations. */
  'postgres-schema': {
    spec: { database: string; migrations: string; connectionLimit: number };
    outputs: { schema: string; role: string; secretArn: string; host: string; port: number; database: string };
  };
  'log-group': {
    spec: { name: string; retentionDays: number };
    outputs: { name: string };
  };
  /** A revision cloned from what the template service runs now. */
  'task-definition': {
    spec: {
      family: string;
      templateService: string;
      environment: Readonly<Record<string, Value<string | number>>>;
      /** Container secret name to secret ARN. */
      secrets: Readonly<Record<string, Value<string>>>;
      logGroup: Value<string>;
    };
    outputs: { arn: string; templateArn: string; containerName: string; containerPort: number };
  };
  'target-group': {
    spec: { component: Component; port: number; healthPath: string };
    outputs: { arn: string; name: string };
  };
  /** `paths` empty: a host rule (band 25000-49999); else a path rule (band 1000-24999). */
  'listener-rule': {
    spec: { loadBalancerArn: string; host: string; paths: readonly string[]; targetGroupArn: Value<string> };
    outputs: { arn: string; priority: number };
  };
  /** Alias to the load balancer with its TXT companion `_tenantry.<host>`. */
  'dns-record': {
    spec: { zoneId: string; host: string; loadBalancerArn: string };
    /** `target`: the name that the alias points to. */
    outputs: { host: string; changeId: string; target: string };
  };
  /** A service whose readiness is three probes: deployment and tasks, target health, an HTTPS request to the host. */
  'ecs-service': {
    spec: {
      serviceName: string;
      taskDefinitionArn: Value<string>;
      targetGroupArn: Value<string>;
      containerName: Value<string>;
      containerPort: Value<number>;
      desiredCount: number;
      healthCheckGraceSeconds: number;
      probe: { loadBalancerArn: string; host: string; path: string };
    };
    outputs: { arn: string; name: string };
  };
  /** The point of no return: the tenant becomes `active`, its mail goes into the outbox. Always the step `finalize`. */
  'tenant-activation': {
    spec: { tenantUrl: string };
    outputs: { tenantUrl: string };
  };
}

export type KindName = keyof KindMap;
export type SpecOf<K extends KindName> = KindMap[K]['spec'];
export type OutputsOf<K extends KindName> = KindMap[K]['outputs'];

/** A spec with every reference replaced by what it names. */
export type Resolved<T> = T extends Ref
  ? never
  : T extends readonly (infer U)[]
    ? readonly Resolved<U>[]
    : T extends object
      ? { readonly [P in keyof T]: Resolved<T[P]> }
      : T;

export const kindNames = [
  'slug-reservation',
  'postgres-schema',
  'log-group',
  'task-definition',
  'target-group',
  'listener-rule',
  'dns-record',
  'ecs-service',
  'tenant-activation',
] as const satisfies readonly KindName[];

/** The verbs every kind has. */
export type Verb = 'ensure' | 'observe' | 'remove';
