import type { KindName, SpecOf } from '../contracts/kinds.ts';
import type { Cell } from '../contracts/platform.ts';
import { secretPrefix } from '../naming.ts';

/** Whose step it is, and where it may work. */
export interface Bounds {
  readonly cell: Cell;
  readonly installationId: string;
  readonly tenant: { readonly id: string; readonly slug: string; readonly product: string };
}

/** A spec whose references are resolved, as far as they could be; nothing is believed of its values. */
type PartialSpec<K extends KindName> = Partial<Readonly<Record<keyof SpecOf<K>, unknown>>>;

/** `make`: everything counts. `take-away`: what only making reads (a template, which may have moved on since) does not. */
export type Purpose = 'make' | 'take-away';

/**
 * What in a resolved spec lies outside the cell or is not this tenant's (design rule 13), as sentences; empty when the
 * step may run. Workers trust no caller: the blueprint may name anything.
 */
export function outsideCell(kind: KindName, spec: unknown, bounds: Bounds, purpose: Purpose = 'make'): string[] {
  const arns = stringsIn(spec).flatMap((text) => text.match(/arn:[^\s"',]+/g) ?? []);
  return [...arns.flatMap((arn) => arnProblem(arn, bounds)), ...checks[kind](fields(spec), { ...bounds, purpose })];
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
  'postgres-schema': (spec, { cell }) =>
    must(
      cell.tenantDatabases.some((d) => d.id === spec.database),
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
    ...must(spec.zoneId === bounds.cell.hostedZone.id, `zone ${show(spec.zoneId)} is not the cell's`),
    ...loadBalancerProblem(spec.loadBalancerArn, bounds),
    ...hostProblem(spec.host, bounds),
  ],
  'ecs-service': (spec, bounds) => [
    ...nameProblem(spec.serviceName, '', bounds),
    ...loadBalancerProblem(fields(spec.probe)['loadBalancerArn'], bounds),
    ...hostProblem(fields(spec.probe)['host'], bounds),
  ],
  'tenant-activation': (spec, bounds) =>
    must(spec.tenantUrl === `https://${hostOf(bounds) ?? ''}`, `URL ${show(spec.tenantUrl)} is not the tenant's`),
};

function arnProblem(arn: string, { cell }: Bounds): string[] {
  const [, , service = '', region = '', account = '', ...rest] = arn.split(':');
  const resource = rest.join(':');
  // IAM is global: its ARNs name no region.
  const inRegion = region === cell.region || (service === 'iam' && region === '');
  if (account !== cell.accountId || !inRegion) return [`${arn} lies outside the cell's account or region`];
  if (service === 'iam') return must(cell.allowedRoleArns.includes(arn), `role ${arn} is not one that tenants may use`);
  if (service === 'ecs' && /^(service|task|container-instance)\//.test(resource))
    return must(resource.split('/')[1] === cell.cluster, `${arn} lies in another cluster`);
  if (service === 'ecs' && resource.startsWith('cluster/'))
    return must(resource === `cluster/${cell.cluster}`, `${arn} is another cluster`);
  if (service === 'elasticloadbalancing') return balancingProblem(arn, resource, cell);
  return [];
}

function balancingProblem(arn: string, resource: string, cell: Cell): string[] {
  const ofCell = cell.loadBalancers;
  if (resource.startsWith('loadbalancer/'))
    return must(
      ofCell.some((lb) => lb.arn === arn),
      `load balancer ${arn} is none of the cell's`,
    );
  if (resource.startsWith('listener/'))
    return must(
      ofCell.some((lb) => lb.httpsListenerArn === arn),
      `listener ${arn} is none of the cell's`,
    );
  if (resource.startsWith('listener-rule/')) {
    const listener = arn.replace(':listener-rule/', ':listener/').replace(/\/[^/]+$/, '');
    return must(
      ofCell.some((lb) => lb.httpsListenerArn === listener),
      `${arn} is a rule of a listener outside the cell`,
    );
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

function loadBalancerProblem(arn: unknown, { cell }: Bounds): string[] {
  return must(
    cell.loadBalancers.some((lb) => lb.arn === arn),
    `load balancer ${show(arn)} is none of the cell's`,
  );
}

function hostProblem(host: unknown, bounds: Bounds): string[] {
  return must(host !== undefined && host === hostOf(bounds), `host ${show(host)} is not the tenant's`);
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

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
