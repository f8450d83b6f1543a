import type { ZoneSeen } from '../aws/landing-zone.ts';
import type { CellParts } from './cell-checks.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const covers = 'R-PRE-04';

/** The cell's hosted zone: the one that is described, public, and the one that answers for every product's domain. */
export async function checkZone(parts: CellParts, subject: string): Promise<Finding[]> {
  const { cell, landingZone } = parts;
  const { id, name } = cell.hostedZone;
  const zone = await landingZone.zone(id);
  if (!zone) return [problem(subject, `${id} does not exist`, covers)];
  if (zone.name !== name) return [problem(subject, `${id} is ${zone.name}, the platform says ${name}`, covers)];
  if (zone.isPrivate)
    return [problem(subject, `${id} (${name}) is private: nobody outside its VPCs sees tenants' records`, covers)];
  const outside = Object.entries(cell.domains).filter(([, domain]) => domain !== name && !domain.endsWith(`.${name}`));
  const findings = [
    ...outside.map(([product, domain]) =>
      problem(subject, `domain ${domain} of ${product} does not lie in zone ${name}`, covers),
    ),
    ...(await findDelegations(parts, subject)),
    ...(await findRivals(parts, subject)),
  ];
  return findings.length > 0 ? findings : [ok(subject, `${name} (${id})`, covers)];
}

/** Parts of the zone that it gives to other name servers, where tenants' hosts would be. */
async function findDelegations({ aws, cell }: CellParts, subject: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [product, domain] of Object.entries(cell.domains)) {
    const found = await aws.dns.findDelegation(cell.hostedZone, domain);
    if (!found) continue;
    const servers = found.values.join(', ');
    const said = `${cell.hostedZone.id} delegates ${found.name} to ${servers}: nobody sees records of ${product} here`;
    findings.push(problem(subject, said, covers));
  }
  return findings;
}

/** Other zones of the account that would answer for tenants' hosts, or some askers. */
async function findRivals({ cell, landingZone }: CellParts, subject: string): Promise<Finding[]> {
  const { id, name } = cell.hostedZone;
  const domains = Object.values(cell.domains);
  const isBelow = (zone: ZoneSeen) => zone.name === name || zone.name.endsWith(`.${name}`);
  const holds = (zone: ZoneSeen) => domains.some((domain) => domain === zone.name || domain.endsWith(`.${zone.name}`));
  const rivals = (await landingZone.zones()).filter((zone) => zone.id !== id && isBelow(zone) && holds(zone));
  return rivals.map((zone) =>
    zone.isPrivate
      ? warning(subject, `private zone ${zone.id} (${zone.name}) hides tenants' records from its VPCs`, covers)
      : warning(
          subject,
          `zone ${zone.id} has the name ${zone.name} too: see which one the domain's NS records name`,
          covers,
        ),
  );
}
