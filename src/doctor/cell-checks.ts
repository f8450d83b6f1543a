import type { CellAws } from '../aws/cell-aws.ts';
import { findCaller, type Patience } from '../aws/sts.ts';
import type { LandingZone } from '../aws/landing-zone.ts';
import type { Cell } from '../contracts/platform.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';
import { checkLoadBalancer } from './load-balancer-checks.ts';
import { checkZone } from './zone-checks.ts';

/** The source texts spell the cluster in two ways (C-02). */
const otherSpellings: Readonly<Record<string, string>> = {
  'moamalat-cluster': 'moamalat-saas-cluster',
  'moamalat-saas-cluster': 'moamalat-cluster',
};

/** One failure that passes is no finding. */
const PATIENCE: Patience = { forMs: 6_000, everyMs: 1_000 };

export interface CellParts {
  readonly cell: Cell;
  readonly aws: CellAws;
  readonly landingZone: LandingZone;
}

/** Everything that tenants of a cell rest on (requirements R-PRE-01..04, 07). */
export async function checkCell(parts: CellParts): Promise<Finding[]> {
  const { cell } = parts;
  const at = (what: string) => `cell ${cell.id}: ${what}`;
  const identity = await look(at('AWS credentials'), () => checkIdentity(parts, at('AWS credentials')));
  if (identity.some((f) => f.verdict === 'problem')) return identity;
  const found = await Promise.all([
    look(at('ECS cluster'), () => checkCluster(parts, at('ECS cluster'))),
    ...Object.entries(cell.templateServices).flatMap(([product, components]) =>
      Object.entries(components).map(([component, name]) => {
        const subject = at(`template service ${name} (${product} ${component})`);
        return look(subject, () => checkTemplate(parts, name, subject));
      }),
    ),
    ...cell.loadBalancers.map((lb) =>
      look(at(`load balancer ${lb.dnsName}`), () => checkLoadBalancer(parts, lb, at(`load balancer ${lb.dnsName}`))),
    ),
    look(at('hosted zone'), () => checkZone(parts, at('hosted zone'))),
    look(at('earlier pieces'), () => checkEarlierPieces(parts, at('earlier pieces'))),
  ]);
  return [...identity, ...found.flat()];
}

async function checkIdentity({ cell, aws }: CellParts, subject: string): Promise<Finding> {
  const { accountId, arn } = await findCaller(aws.identity, PATIENCE);
  return accountId === cell.accountId
    ? ok(subject, arn)
    : problem(subject, `the platform says account ${cell.accountId}, the credentials are of ${accountId} (${arn})`);
}

async function checkCluster({ cell, landingZone }: CellParts, subject: string): Promise<Finding> {
  const status = await landingZone.clusterStatus();
  if (status === 'ACTIVE') return ok(subject, `${cell.cluster} is ACTIVE`, 'R-PRE-01');
  const other = otherSpellings[cell.cluster];
  const hint = other === undefined ? '' : `; it is also spelt "${other}" in places: look for that one`;
  return problem(
    subject,
    `${cell.cluster} ${status === undefined ? 'does not exist' : `is ${status}`}${hint}`,
    'R-PRE-01',
  );
}

async function checkTemplate({ cell, aws, landingZone }: CellParts, name: string, subject: string): Promise<Finding> {
  const covers = ['R-PRE-02', 'R-PRE-03'];
  const service = await aws.ecs.findService(name);
  if (!service || service.status !== 'ACTIVE') {
    return problem(
      subject,
      `${service ? `is ${service.status}` : 'does not exist'}: deploy it before the first tenant`,
      ...covers,
    );
  }
  const { images, roleArns } = await landingZone.taskDefinition(service.taskDefinitionArn);
  const outside = [
    ...images.filter((image) => !cell.allowedImageRepositories.includes(repositoryOf(image))),
    ...roleArns.filter((role) => !cell.allowedRoleArns.includes(role)),
  ];
  if (outside.length > 0)
    return problem(
      subject,
      `uses ${outside.join(', ')}, which the platform does not list: no tenant can be cloned`,
      ...covers,
    );
  if (service.desiredCount === 0 || service.runningCount < service.desiredCount) {
    return warning(
      subject,
      `runs ${service.runningCount} of ${service.desiredCount} tasks: tenants cloned from it may not get healthy`,
      ...covers,
    );
  }
  return ok(
    subject,
    `runs ${service.runningCount} of ${service.desiredCount} tasks of ${service.taskDefinitionArn}`,
    ...covers,
  );
}

/** `account.dkr.../name:tag` or `...@sha256:...` without what comes behind the name. */
function repositoryOf(image: string): string {
  const name = image.split('@')[0] ?? image;
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** Provisioning pieces that exist already, so that nothing is built twice (R-PRE-07). */
async function checkEarlierPieces({ cell, landingZone }: CellParts, subject: string): Promise<Finding> {
  const templates = new Set(Object.values(cell.templateServices).flatMap((components) => Object.values(components)));
  const services = (await landingZone.serviceNames()).filter((name) => !templates.has(name));
  if (services.length === 0) return ok(subject, 'no services but the templates in the cluster', 'R-PRE-07');
  const some = services.slice(0, 5).join(', ');
  return ok(
    subject,
    `${services.length} services besides the templates (${some}${services.length > 5 ? ', ...' : ''}); foreign ones are never touched`,
    'R-PRE-07',
  );
}
