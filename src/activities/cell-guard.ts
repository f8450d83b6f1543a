import type { KindName, SpecOf } from '../contracts/kinds.ts';
import type { Cell } from '../contracts/platform.ts';
import type { Surroundings } from '../db/steps.ts';
import { secretPrefix } from '../naming.ts';

/** Whose step it is, and where it may work. */
export interface Bounds {
  readonly cell: Cell;
  readonly installationId: string;
  readonly tenant: { readonly id: string; readonly slug: string; readonly product: string };
  /** What a removal is judged by: absent, only what the cell lists today counts. */
  readonly recorded?: Recorded | undefined;
}

/** What this installation itself recorded as the tenant's, when it accepted and made it. */
export interface Recorded {
  readonly hostName: string;
  readonly zoneIds: readonly string[];
  readonly loadBalancerArns: readonly string[];
  /** Listeners that the step took a rule's priority on. */
  readonly listenerArns: readonly string[];
}

/** From the tenant's row and the places that it holds; a caller has no say in either. */
export function recordedOf(surroundings: Pick<Surroundings, 'hostName' | 'places'>, stepId: string): Recorded {
  const { hostName, places } = surroundings;
  const scopes = (kind: string) => places.filter((place) => place.kind === kind);
  return {
    hostName,
    zoneIds: scopes('host-name')
      .filter(({ key }) => key === hostName)
      .map(({ scope }) => scope),
    loadBalancerArns: scopes('load-balancer').map(({ scope }) => scope),
    listenerArns: [
      ...new Set(
        scopes('rule-priority')
          .filter((p) => p.stepId === stepId)
          .map(({ scope }) => scope),
      ),
    ],
  };
}

/**
 * Things of the tenant that were made in an account or region where the cell's calls do not go any more: a look there would show
 * nothing and be taken for their absence.
 */
export function movedAway(
  steps: readonly { readonly state: string; readonly outputs: unknown }[],
  cell: Cell,
): string[] {
  const arns = steps.filter(({ state }) => state !== 'removed').flatMap(({ outputs }) => arnsIn(outputs));
  return [
    ...new Set(
      arns
        .filter((arn) => !isInPlace(arn, cell))
        .map((arn) => `${arn} was made outside of ${cell.accountId} ${cell.region}, which the cell is now`),
    ),
  ];
}

/** A spec whose references are resolved, as far as they could be; nothing is believed of its values. */
type PartialSpec<K extends KindName> = Partial<Readonly<Record<keyof SpecOf<K>, unknown>>>;

/**
 * `make`: everything counts, by what the cell lists today. `take-away`: what only making reads (a template, roles) does not, and
 * what was recorded for the tenant counts as well: the platform's description may have moved on since.
 */
export type Purpose = 'make' | 'take-away';

/**
 * What in a resolved spec lies outside the cell or is not this tenant's (design rule 13), as sentences; empty when the
 * step may run. Workers trust no caller: the blueprint may name anything.
 */
export function outsideCell(kind: KindName, spec: unknown, bounds: Bounds, purpose: Purpose = 'make'): string[] {
  const check = { ...bounds, purpose };
  return [...arnsIn(spec).flatMap((arn) => arnProblem(arn, check)), ...checks[kind](fields(spec), check)];
}

/** Host name of a tenant, from the cell's description alone; undefined when the cell has no domain for the product. */
export function hostOf({ cell, tenant }: Bounds): string | undefined {
  const domain = cell.domains[tenant.product];
  return domain === undefined ? undefined : `${tenant.slug}.${domain}`;
}

interface Check extends Bounds {
  readonly purpose: Purpose;
}
type Checks = { readonly [K in KindName]: (spec: PartialSpec<K>, bounds: Check) => string[] };

const checks: Checks = {
  'slug-reservation': (spec, bounds) => [
    ...must(spec.slug === bounds.tenant.slug, `slug ${show(spec.slug)} is not the tenant's`),
    ...list(spec.templateServices).flatMap((name) => templateProblem(name, bounds)),
  ],
  // For a removal the worker's connections decide: what it drops there bears the tenant's mark.
  'postgres-schema': (spec, { cell, purpose }) =>
    must(
      purpose === 'take-away' || cell.tenantDatabases.some((d) => d.id === spec.database),
      `database ${show(spec.database)} is none of the cell's`,
    ),
  'log-group': (spec, bounds) => nameProblem(spec.name, '/ecs/', bounds),
  'task-definition': (spec, bounds) => [
    ...nameProblem(spec.family, '', bounds),
    ...templateProblem(spec.templateService, bounds),
    ...Object.values(fields(spec.secrets)).flatMap((arn) => secretProblem(arn, bounds)),
    ...(spec.logGroup === undefined ? [] : nameProblem(spec.logGroup, '/ecs/', bounds)),
  ],
  'target-group': () => [],
  'listener-rule': (spec, bounds) => [
    ...loadBalancerProblem(spec.loadBalancerArn, bounds),
    ...hostProblem(spec.host, bounds),
  ],
  'dns-record': (spec, bounds) => [
    ...must(zonesOf(bounds).includes(String(spec.zoneId)), `zone ${show(spec.zoneId)} is not the cell's`),
    ...loadBalancerProblem(spec.loadBalancerArn, bounds),
    ...hostProblem(spec.host, bounds),
  ],
  'ecs-service': (spec, bounds) => [
    ...nameProblem(spec.serviceName, '', bounds),
    ...loadBalancerProblem(fields(spec.probe)['loadBalancerArn'], bounds),
    ...hostProblem(fields(spec.probe)['host'], bounds),
  ],
  'tenant-activation': (spec, bounds) =>
    must(spec.tenantUrl === `https://${ownHost(bounds) ?? ''}`, `URL ${show(spec.tenantUrl)} is not the tenant's`),
};

/** What a removal may go by besides what the cell lists today. */
function recordedFor({ purpose, recorded }: Check): Recorded | undefined {
  return purpose === 'take-away' ? recorded : undefined;
}

function ownHost(check: Check): string | undefined {
  return recordedFor(check)?.hostName ?? hostOf(check);
}

function zonesOf(check: Check): readonly string[] {
  return [check.cell.hostedZone.id, ...(recordedFor(check)?.zoneIds ?? [])];
}

function isInPlace(arn: string, cell: Cell): boolean {
  const [, , service = '', region = '', account = ''] = arn.split(':');
  // IAM is global: its ARNs name no region.
  return account === cell.accountId && (region === cell.region || (service === 'iam' && region === ''));
}

function arnProblem(arn: string, check: Check): string[] {
  const { cell, purpose } = check;
  const [, , service = '', , , ...rest] = arn.split(':');
  const resource = rest.join(':');
  if (!isInPlace(arn, cell)) return [`${arn} lies outside the cell's account or region`];
  if (service === 'iam')
    return must(
      purpose === 'take-away' || cell.allowedRoleArns.includes(arn),
      `role ${arn} is not one that tenants may use`,
    );
  if (service === 'ecs' && /^(service|task|container-instance)\//.test(resource))
    return must(resource.split('/')[1] === cell.cluster, `${arn} lies in another cluster`);
  if (service === 'ecs' && resource.startsWith('cluster/'))
    return must(resource === `cluster/${cell.cluster}`, `${arn} is another cluster`);
  if (service === 'elasticloadbalancing') return balancingProblem(arn, resource, check);
  return [];
}

function balancingProblem(arn: string, resource: string, check: Check): string[] {
  if (resource.startsWith('loadbalancer/')) return loadBalancerProblem(arn, check);
  const listeners = [
    ...check.cell.loadBalancers.map((lb) => lb.httpsListenerArn),
    ...(recordedFor(check)?.listenerArns ?? []),
  ];
  if (resource.startsWith('listener/')) return must(listeners.includes(arn), `listener ${arn} is none of the cell's`);
  if (resource.startsWith('listener-rule/')) {
    const listener = arn.replace(':listener-rule/', ':listener/').replace(/\/[^/]+$/, '');
    return must(listeners.includes(listener), `${arn} is a rule of a listener outside the cell`);
  }
  return must(resource.startsWith('targetgroup/'), `${arn} is nothing that a tenant may name`);
}

/** `<prefix><product>-<slug>`, with one more word at most: with two, one tenant could name another's (`a` and `a-b`). */
function nameProblem(name: unknown, prefix: string, { tenant }: Bounds): string[] {
  const own = `${prefix}${tenant.product}-${tenant.slug}`;
  const rest = typeof name === 'string' && name.startsWith(own) ? name.slice(own.length) : undefined;
  return must(rest !== undefined && /^(-[a-z0-9]+)?$/.test(rest), `name ${show(name)} is not derived from the tenant`);
}

function templateProblem(name: unknown, { cell, tenant, purpose }: Check): string[] {
  if (purpose === 'take-away') return [];
  const known = Object.values(cell.templateServices[tenant.product] ?? {});
  return must(
    typeof name === 'string' && known.includes(name),
    `template service ${show(name)} is none of the cell's for ${tenant.product}`,
  );
}

function secretProblem(arn: unknown, { installationId, tenant }: Bounds): string[] {
  const own = `:secret:${secretPrefix(installationId, tenant.id)}`;
  return must(typeof arn === 'string' && arn.includes(own), `secret ${show(arn)} is not the tenant's`);
}

function loadBalancerProblem(arn: unknown, check: Check): string[] {
  const known = [...check.cell.loadBalancers.map((lb) => lb.arn), ...(recordedFor(check)?.loadBalancerArns ?? [])];
  return must(known.includes(String(arn)), `load balancer ${show(arn)} is none of the cell's`);
}

function hostProblem(host: unknown, check: Check): string[] {
  return must(host !== undefined && host === ownHost(check), `host ${show(host)} is not the tenant's`);
}

function must(holds: boolean, problem: string): string[] {
  return holds ? [] : [problem];
}

function show(value: unknown): string {
  return value === undefined ? '(none)' : JSON.stringify(value);
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function arnsIn(value: unknown): string[] {
  return stringsIn(value).flatMap((text) => text.match(/arn:[^\s"',]+/g) ?? []);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
