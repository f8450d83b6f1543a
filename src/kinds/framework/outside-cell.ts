import type { Cell } from '../../contracts/platform.ts';
import type { Kind } from './kind.ts';
import { fieldsOf, must, stringsIn, within, type Bounds, type Purpose, type Within } from './within.ts';

/**
 * What in a resolved spec lies outside the cell or is not this tenant's (design rule 13), as sentences; empty when the
 * step may run.
 */
export function outsideCell(kind: Judged, spec: unknown, bounds: Bounds, purpose: Purpose = 'make'): string[] {
  return problemsBy(within(bounds, purpose), kind, spec);
}

/**
 * The same before anything is made: what a reference will stand for is not known yet and is not judged.
 *
 * @param spec with its references left out
 */
export function outsideCellSoFar(kind: Judged, spec: unknown, bounds: Omit<Bounds, 'installationId'>): string[] {
  return problemsBy(ofKnown(within({ ...bounds, installationId: '' }, 'make')), kind, spec);
}

type Judged = Pick<Kind, 'inCell' | 'dataFields'>;

/** What of a spec may name a thing of the cell: a tenant's data says whatever it says. */
export function withoutData(
  { dataFields = [] }: Pick<Kind, 'dataFields'>,
  spec: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !dataFields.includes(field)));
}

function problemsBy(judge: Within, kind: Judged, spec: unknown): string[] {
  const named = arnsIn(withoutData(kind, fieldsOf(spec)));
  return [...named.flatMap((arn) => arnProblem(arn, judge)), ...kind.inCell(fieldsOf(spec), judge)];
}

/** A value that is not there is a reference's. */
function ofKnown(judge: Within): Within {
  const ifKnown = (ask: (value: unknown) => string[]) => (value: unknown) => (value === undefined ? [] : ask(value));
  return {
    ...judge,
    tenantName: (name, prefix) => (name === undefined ? [] : judge.tenantName(name, prefix)),
    tenantId: ifKnown((value) => judge.tenantId(value)),
    slug: ifKnown((value) => judge.slug(value)),
    host: ifKnown((value) => judge.host(value)),
    url: ifKnown((value) => judge.url(value)),
    zone: ifKnown((value) => judge.zone(value)),
    loadBalancer: ifKnown((value) => judge.loadBalancer(value)),
    database: ifKnown((value) => judge.database(value)),
    table: ifKnown((value) => judge.table(value)),
    templateService: ifKnown((value) => judge.templateService(value)),
    image: ifKnown((value) => judge.image(value)),
    // A secret of the tenant's is always another step's output.
    secret: () => [],
  };
}

/** Whether an ARN is of the cell's account and region. */
export function isInPlace(arn: string, cell: Cell): boolean {
  const [, , service = '', region = '', account = ''] = arn.split(':');
  // IAM is global: its ARNs name no region.
  return account === cell.accountId && (region === cell.region || (service === 'iam' && region === ''));
}

function arnProblem(arn: string, judge: Within): string[] {
  const { cell, purpose } = judge;
  const [, , service = '', , , ...rest] = arn.split(':');
  const resource = rest.join(':');
  if (!isInPlace(arn, cell)) return [`${arn} lies outside the cell's account or region`];
  if (service === 'iam')
    return must(
      purpose !== 'make' || cell.allowedRoleArns.includes(arn),
      `role ${arn} is not one that tenants may use`,
    );
  if (service === 'ecs' && /^(service|task|container-instance)\//.test(resource))
    return must(resource.split('/')[1] === cell.cluster, `${arn} lies in another cluster`);
  if (service === 'ecs' && resource.startsWith('cluster/'))
    return must(resource === `cluster/${cell.cluster}`, `${arn} is another cluster`);
  if (service === 'elasticloadbalancing') return balancingProblem(arn, resource, judge);
  return [];
}

function balancingProblem(arn: string, resource: string, judge: Within): string[] {
  if (resource.startsWith('loadbalancer/')) return judge.loadBalancer(arn);
  if (resource.startsWith('listener/')) return judge.listener(arn);
  if (resource.startsWith('listener-rule/')) {
    const listener = arn.replace(':listener-rule/', ':listener/').replace(/\/[^/]+$/, '');
    return must(judge.listener(listener).length === 0, `${arn} is a rule of a listener outside the cell`);
  }
  return must(resource.startsWith('targetgroup/'), `${arn} is nothing that a tenant may name`);
}

/** Every ARN in a value, at any depth. */
export function arnsIn(value: unknown): string[] {
  return stringsIn(value).flatMap((text) => text.match(/arn:[^\s"',]+/g) ?? []);
}
