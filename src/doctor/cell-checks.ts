import type { CellAws } from '../aws/cell-aws.ts';
import { findCaller, type Patience } from '../aws/sts.ts';
import type { LandingZone } from '../aws/landing-zone.ts';
import type { Cell, LoadBalancer } from '../contracts/platform.ts';
import { look, ok, problem, warning, type Finding } from './finding.ts';

/** Rules and target groups an ALB may have by default; the second cannot be raised (aws-facts, "Quotas"). */
const RULES_PER_LOAD_BALANCER = 100;
const TARGET_GROUPS_PER_LOAD_BALANCER = 100;

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

async function checkLoadBalancer({ landingZone }: CellParts, lb: LoadBalancer, subject: string): Promise<Finding[]> {
  const covers = 'R-PRE-04';
  const seen = await landingZone.loadBalancer(lb.arn);
  if (!seen) return [problem(subject, `${lb.arn} does not exist`, covers)];
  const findings: Finding[] = [];
  if (seen.state !== 'active') findings.push(problem(subject, `is ${seen.state}`, covers));
  if (seen.dnsName !== lb.dnsName)
    findings.push(problem(subject, `AWS names it ${seen.dnsName}: aliases would point elsewhere`, covers));
  if (seen.canonicalHostedZoneId !== lb.canonicalHostedZoneId) {
    findings.push(
      problem(
        subject,
        `its canonical zone is ${seen.canonicalHostedZoneId}, the platform says ${lb.canonicalHostedZoneId}`,
        covers,
      ),
    );
  }
  const https = seen.listeners.find((l) => l.arn === lb.httpsListenerArn);
  if (https?.protocol !== 'HTTPS')
    findings.push(
      problem(
        subject,
        `listener ${lb.httpsListenerArn} ${https ? `speaks ${https.protocol}` : 'does not exist'}`,
        covers,
      ),
    );
  if (!seen.listeners.some((l) => l.port === 80))
    findings.push(warning(subject, 'nothing listens on port 80 to redirect to HTTPS', covers));
  if (seen.httpsRules + 3 > RULES_PER_LOAD_BALANCER || seen.targetGroups + 2 > TARGET_GROUPS_PER_LOAD_BALANCER) {
    findings.push(warning(subject, `is full: ${seen.httpsRules} rules, ${seen.targetGroups} target groups`, covers));
  }
  if (findings.length > 0) return findings;
  return [ok(subject, `active, ${seen.httpsRules} rules and ${seen.targetGroups} target groups in use`, covers)];
}

async function checkZone({ cell, landingZone }: CellParts, subject: string): Promise<Finding[]> {
  const name = await landingZone.zoneName(cell.hostedZone.id);
  if (name === undefined) return [problem(subject, `${cell.hostedZone.id} does not exist`, 'R-PRE-04')];
  if (name !== cell.hostedZone.name)
    return [
      problem(subject, `${cell.hostedZone.id} is ${name}, the platform says ${cell.hostedZone.name}`, 'R-PRE-04'),
    ];
  const outside = Object.entries(cell.domains).filter(([, domain]) => domain !== name && !domain.endsWith(`.${name}`));
  if (outside.length > 0) {
    return outside.map(([product, domain]) =>
      problem(subject, `domain ${domain} of ${product} does not lie in zone ${name}`, 'R-PRE-04'),
    );
  }
  return [ok(subject, `${name} (${cell.hostedZone.id})`, 'R-PRE-04')];
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
