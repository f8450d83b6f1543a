import { describeRule, reachOf } from '../kinds/listener-rule/reach.ts';
import type { ListenerRule } from '../aws/elbv2-rules.ts';
import type { LoadBalancer } from '../contracts/platform.ts';
import type { CellParts } from './cell-checks.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

/** Rules and target groups an ALB may have by default; the second cannot be raised (aws-facts, "Quotas"). */
const RULES_PER_LOAD_BALANCER = 100;
const TARGET_GROUPS_PER_LOAD_BALANCER = 100;

const covers = 'R-PRE-04';
const HTTPS_PORT = 443;
/** The first priority of tenants' host rules (design rule 14): what comes before it comes before every tenant. */
const FIRST_HOST_PRIORITY = 25_000;
/** A host that no tenant has, below a product's domain. */
const PREFLIGHT_LABEL = 'tenantry-preflight';

/** A load balancer of the cell: as it is described, with room, and fit to answer for tenants of every product. */
export async function checkLoadBalancer(parts: CellParts, lb: LoadBalancer, subject: string): Promise<Finding[]> {
  const { landingZone } = parts;
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
  if (https && https.port !== HTTPS_PORT && !lb.connect)
    findings.push(
      problem(subject, `listener ${lb.httpsListenerArn} is on port ${https.port}: browsers ask ${HTTPS_PORT}`, covers),
    );
  if (!seen.listeners.some((l) => l.port === 80))
    findings.push(warning(subject, 'nothing listens on port 80 to redirect to HTTPS', covers));
  if (seen.httpsRules + 3 > RULES_PER_LOAD_BALANCER || seen.targetGroups + 2 > TARGET_GROUPS_PER_LOAD_BALANCER) {
    findings.push(warning(subject, `is full: ${seen.httpsRules} rules, ${seen.targetGroups} target groups`, covers));
  }
  if (https?.protocol === 'HTTPS')
    findings.push(...(await checkDomains(parts, lb, subject)), ...(await checkForeignRules(parts, lb, subject)));
  if (findings.length > 0) return findings;
  return [ok(subject, `active, ${seen.httpsRules} rules and ${seen.targetGroups} target groups in use`, covers)];
}

/**
 * Whether the listener has a certificate for tenants of every product, by a TLS handshake for such a host: it tells what browsers
 * will see, whoever issued the certificate, and needs no right on certificates.
 */
async function checkDomains({ aws, cell }: CellParts, lb: LoadBalancer, subject: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [product, domain] of Object.entries(cell.domains)) {
    const host = `${PREFLIGHT_LABEL}.${domain}`;
    const answer = await aws.probe.ask({ loadBalancerArn: lb.arn, host, path: '/' });
    if (!('error' in answer)) continue;
    const found = answer.isCertificateInvalid
      ? problem(subject, `no certificate for tenants of ${product} (*.${domain}): ${answer.error}`, covers)
      : warning(subject, `https://${host} cannot be asked from here, as readiness will be: ${answer.error}`, covers);
    findings.push(found);
  }
  return findings;
}

/** Rules of others that would answer in the place of any tenant's. */
async function checkForeignRules({ aws, cell }: CellParts, lb: LoadBalancer, subject: string): Promise<Finding[]> {
  const rules = await aws.loadBalancing.findRules(lb.httpsListenerArn);
  const hosts = Object.values(cell.domains).map((domain) => `${PREFLIGHT_LABEL}.${domain}`);
  const reach = (rule: ListenerRule) => hosts.map((host) => reachOf(rule, { host, paths: [] }));
  return rules
    .filter((rule) => !lb.allowedRuleArns?.includes(rule.arn) && reach(rule).some((r) => r !== 'none'))
    .map((rule) => {
      const share = reach(rule).includes('all') ? 'every request' : 'some requests';
      const said = `${describeRule(rule)} catches ${share} for tenants' hosts`;
      return rule.priority < FIRST_HOST_PRIORITY
        ? problem(subject, `${said}: no tenant can be made; narrow it, or allow it (allowedRuleArns)`, covers)
        : warning(subject, `${said} whose rule comes after it; give it priority 50000`, covers);
    });
}
