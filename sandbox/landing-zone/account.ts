import { CreateRoleCommand, GetRoleCommand } from '@aws-sdk/client-iam';
import { CreateHostedZoneCommand, ListHostedZonesByNameCommand } from '@aws-sdk/client-route-53';
import { CreateEmailIdentityCommand } from '@aws-sdk/client-sesv2';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { required, unlessFailed, type SeedClients } from './clients.ts';
import { landingZone } from './names.ts';

export interface Roles {
  readonly taskRoleArn: string;
  readonly executionRoleArn: string;
}

export async function accountIdOf({ sts }: SeedClients): Promise<string> {
  const { Account } = await sts.send(new GetCallerIdentityCommand({}));
  return required(Account, 'the account of the caller');
}

/** The two roles that tasks of tenants may have. */
export async function ensureRoles(clients: SeedClients): Promise<Roles> {
  return {
    taskRoleArn: await ensureRole(clients, 'moamalat-task-role'),
    executionRoleArn: await ensureRole(clients, 'moamalat-execution-role'),
  };
}

/** The public zone; returns its id without `/hostedzone/`. */
export async function ensureHostedZone({ route53 }: SeedClients, zoneName: string): Promise<string> {
  const Name = `${zoneName}.`;
  const { HostedZones = [] } = await route53.send(new ListHostedZonesByNameCommand({ DNSName: Name }));
  const found = HostedZones.find((z) => z.Name === Name)?.Id;
  const id =
    found ??
    (await route53.send(new CreateHostedZoneCommand({ Name, CallerReference: `${landingZone}-${zoneName}` })))
      .HostedZone?.Id;
  return required(id, 'the id of the hosted zone').replace(/^\/hostedzone\//, '');
}

/** The sender's domain, which tenants' mails come from. */
export async function ensureMailIdentity({ ses }: SeedClients, domainName: string): Promise<void> {
  await unlessFailed(ses.send(new CreateEmailIdentityCommand({ EmailIdentity: domainName })), 'AlreadyExistsException');
}

async function ensureRole({ iam }: SeedClients, RoleName: string): Promise<string> {
  const found = await unlessFailed(iam.send(new GetRoleCommand({ RoleName })), 'NoSuchEntityException', 'NoSuchEntity');
  const role =
    found?.Role ?? (await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustPolicy }))).Role;
  return required(role?.Arn, `the ARN of role ${RoleName}`);
}

const trustPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
