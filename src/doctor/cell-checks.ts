import type { CellAws } from '../aws/cell-aws.ts';
import { findCaller, type Patience } from '../aws/sts.ts';
import type { LandingZone } from '../aws/landing-zone.ts';
import type { Cell } from '../contracts/platform.ts';
import type { Product } from '../products/product.ts';
import { look, ok, problem, type Finding } from './finding.ts';
import { checkLoadBalancer } from './load-balancer-checks.ts';
import { checkTemplate } from './template-checks.ts';
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
  readonly products: Readonly<Record<string, Product>>;
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
        return look(subject, () => checkTemplate(parts, { product, name, subject }));
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
