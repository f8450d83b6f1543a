import type { CellAws } from '../aws/cell-aws.ts';
import { findCaller, isUnanswered, type CallerRetry } from '../aws/sts.ts';
import type { LandingZone } from '../aws/landing-zone.ts';
import type { Cell } from '../contracts/platform.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { look, ok, problem, type Finding } from './finding.ts';
import { checkLoadBalancer } from './load-balancer-checks.ts';
import { checkTemplate } from './template-checks.ts';
import { checkZone } from './zone-checks.ts';

/** One failure that passes is no finding. */
const CALLER_RETRY: CallerRetry = { forMs: 6_000, everyMs: 1_000 };

export interface CellParts {
  readonly cell: Cell;
  readonly aws: CellAws;
  readonly landingZone: LandingZone;
  readonly catalog: Catalog;
}

/** Everything that tenants of a cell rest on (requirements R-PRE-01..04, 07). */
export async function checkCell(parts: CellParts): Promise<Finding[]> {
  const { cell } = parts;
  const at = (what: string) => `cell ${cell.id}: ${what}`;
  const identity = await look(at('AWS credentials'), () => checkIdentity(parts, at));
  if (identity.some((f) => f.verdict === 'problem')) return identity;
  const found = await Promise.all([
    look(at('ECS cluster'), () => checkCluster(parts, at('ECS cluster'))),
    ...Object.entries(cell.templateServices).flatMap(([product, components]) =>
      Object.entries(components).map(([component, name]) => {
        const subject = at(`template service ${name} (${product} ${component})`);
        return look(subject, () => checkTemplate(parts, { product, name, subject }));
      }),
    ),
    ...cell.loadBalancers.map((lb) =>
      look(at(`load balancer ${lb.dnsName}`), () => checkLoadBalancer(parts, lb, at(`load balancer ${lb.dnsName}`))),
    ),
    look(at('hosted zone'), () => checkZone(parts, at('hosted zone'))),
    look(at('other services'), () => checkOtherServices(parts, at('other services'))),
  ]);
  return [...identity, ...found.flat()];
}

async function checkIdentity({ cell, aws }: CellParts, at: (what: string) => string): Promise<Finding> {
  const subject = at('AWS credentials');
  const caller = await findCaller(aws.identity, CALLER_RETRY).catch((error: unknown) => {
    if (isUnanswered(error)) return { unanswered: error.message };
    throw error;
  });
  if ('unanswered' in caller) {
    const remedy =
      'see that this machine reaches AWS (DNS, proxy, firewall, AWS_ENDPOINT_URL); nothing is said of the credentials';
    return problem(at('AWS endpoint'), `${caller.unanswered}: ${remedy}`);
  }
  const { accountId, arn } = caller;
  return accountId === cell.accountId
    ? ok(subject, arn)
    : problem(subject, `the platform says account ${cell.accountId}, the credentials are of ${accountId} (${arn})`);
}

async function checkCluster({ cell, landingZone }: CellParts, subject: string): Promise<Finding> {
  const status = await landingZone.clusterStatus();
  if (status === 'ACTIVE') return ok(subject, `${cell.cluster} is ACTIVE`, 'R-PRE-01');
  const seen = status === undefined ? 'does not exist' : `is ${status}`;
  return problem(
    subject,
    `${cell.cluster} ${seen} in region ${cell.region}: create it, or correct \`cluster\` in the platform description`,
    'R-PRE-01',
  );
}

/** What runs in the cluster already, so that nothing is built twice (R-PRE-07). */
async function checkOtherServices({ cell, landingZone }: CellParts, subject: string): Promise<Finding> {
  const templates = new Set(Object.values(cell.templateServices).flatMap((components) => Object.values(components)));
  const services = (await landingZone.serviceNames()).filter((name) => !templates.has(name));
  if (services.length === 0) return ok(subject, 'the cluster runs no services but the templates', 'R-PRE-07');
  const some = services.slice(0, 5).join(', ');
  return ok(
    subject,
    `the cluster runs ${services.length} besides the templates (${some}${services.length > 5 ? ', ...' : ''}); those that are not tenants stay as they are`,
    'R-PRE-07',
  );
}
