import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import type { KindWorld } from './kind-world.ts';

export function changeRecord(
  world: KindWorld,
  Action: 'CREATE' | 'UPSERT' | 'DELETE',
  set: ResourceRecordSet,
): Promise<unknown> {
  return new Route53Client(world.target).send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: world.cell.hostedZone.id,
      ChangeBatch: { Changes: [{ Action, ResourceRecordSet: set }] },
    }),
  );
}

/** The record sets at a host and at its companion. */
export async function recordsOf(world: KindWorld, host: string): Promise<ResourceRecordSet[]> {
  const answer = await new Route53Client(world.target).send(
    new ListResourceRecordSetsCommand({ HostedZoneId: world.cell.hostedZone.id, MaxItems: 300 }),
  );
  return (answer.ResourceRecordSets ?? []).filter(({ Name }) => Name === `${host}.` || Name === `_tenantry.${host}.`);
}
