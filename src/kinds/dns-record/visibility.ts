import { StepError } from '../../contracts/step-error.ts';
import type { RecordContext } from './spec.ts';

/**
 * Refuses to make a record that nobody would be told of, though Route 53 takes it and calls it INSYNC: in a zone that only VPCs
 * see, or below a name that the zone gives to other name servers.
 * @throws StepError ZONE_NOT_AUTHORITATIVE
 */
export async function refuseUnseen({ aws, cell, spec }: RecordContext): Promise<void> {
  const { id, name } = cell.hostedZone;
  if (await aws.dns.isPrivateZone(id)) {
    const message = `the record of ${spec.host} would be seen by nobody: hosted zone ${id} (${name}) is private`;
    throw new StepError('ZONE_NOT_AUTHORITATIVE', message);
  }
  // At the host itself any record of others is refused already.
  const parent = spec.host.slice(spec.host.indexOf('.') + 1);
  const delegation = await aws.dns.findDelegation(cell.hostedZone, parent);
  if (!delegation) return;
  throw new StepError(
    'ZONE_NOT_AUTHORITATIVE',
    `the record of ${spec.host} would be seen by nobody: hosted zone ${id} delegates ${delegation.name}`,
    { detail: `${delegation.name} NS ${delegation.values.join(', ')}` },
  );
}
