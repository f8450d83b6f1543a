import { ListCertificatesCommand, RequestCertificateCommand } from '@aws-sdk/client-acm';
import {
  AddListenerCertificatesCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  type CreateListenerCommandInput,
  type LoadBalancer,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { required, unlessFailed, type SeedClients } from './clients.ts';
import { loadBalancerName } from './names.ts';
import type { Network } from './network.ts';

export interface SeededLoadBalancer {
  readonly arn: string;
  readonly dnsName: string;
  readonly canonicalHostedZoneId: string;
  readonly certificateArn: string;
  readonly httpsListenerArn: string;
}

/** The shared ALB: HTTPS that knows no tenant yet (404), and HTTP that sends everybody to HTTPS. */
export async function ensureLoadBalancer(
  clients: SeedClients,
  network: Network,
  { zoneName, domains }: { readonly zoneName: string; readonly domains: readonly string[] },
): Promise<SeededLoadBalancer> {
  const certificateArn = await ensureCertificate(clients, zoneName);
  const balancer = (await findBalancer(clients)) ?? (await createBalancer(clients, network));
  const arn = required(balancer.LoadBalancerArn, 'the ARN of the load balancer');
  const httpsListenerArn = await ensureListener(clients, {
    LoadBalancerArn: arn,
    Port: 443,
    Protocol: 'HTTPS',
    Certificates: [{ CertificateArn: certificateArn }],
    DefaultActions: [
      {
        Type: 'fixed-response',
        FixedResponseConfig: { StatusCode: '404', ContentType: 'text/plain', MessageBody: 'No such tenant' },
      },
    ],
  });
  await addCertificates(
    clients,
    httpsListenerArn,
    domains.filter((domain) => domain !== zoneName),
  );
  await ensureListener(clients, {
    LoadBalancerArn: arn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } }],
  });
  return {
    arn,
    dnsName: required(balancer.DNSName, 'the DNS name of the load balancer'),
    canonicalHostedZoneId: required(balancer.CanonicalHostedZoneId, 'the canonical zone of the load balancer'),
    certificateArn,
    httpsListenerArn,
  };
}

/** Those that the listener chooses by server name; it may have them already. */
async function addCertificates(clients: SeedClients, listenerArn: string, domains: readonly string[]): Promise<void> {
  for (const domain of domains) {
    const Certificates = [{ CertificateArn: await ensureCertificate(clients, domain) }];
    await clients.elb.send(new AddListenerCertificatesCommand({ ListenerArn: listenerArn, Certificates }));
  }
}

async function ensureCertificate({ acm }: SeedClients, domain: string): Promise<string> {
  const DomainName = `*.${domain}`;
  const { CertificateSummaryList = [] } = await acm.send(new ListCertificatesCommand({}));
  const found = CertificateSummaryList.find((c) => c.DomainName === DomainName)?.CertificateArn;
  if (found) return found;
  const made = await acm.send(new RequestCertificateCommand({ DomainName, ValidationMethod: 'DNS' }));
  return required(made.CertificateArn, 'the ARN of the certificate');
}

async function findBalancer({ elb }: SeedClients): Promise<LoadBalancer | undefined> {
  const command = new DescribeLoadBalancersCommand({ Names: [loadBalancerName] });
  const answer = await unlessFailed(elb.send(command), 'LoadBalancerNotFoundException', 'LoadBalancerNotFound');
  return answer?.LoadBalancers?.[0];
}

async function createBalancer({ elb }: SeedClients, network: Network): Promise<LoadBalancer> {
  const made = await elb.send(
    new CreateLoadBalancerCommand({
      Name: loadBalancerName,
      Type: 'application',
      Scheme: 'internet-facing',
      Subnets: [...network.subnetIds],
      SecurityGroups: [network.publicGroupId],
    }),
  );
  return required(made.LoadBalancers?.[0], 'the new load balancer');
}

async function ensureListener({ elb }: SeedClients, input: CreateListenerCommandInput): Promise<string> {
  const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn: input.LoadBalancerArn }));
  const found = Listeners.find((l) => l.Port === input.Port)?.ListenerArn;
  if (found) return found;
  const made = await elb.send(new CreateListenerCommand(input));
  return required(made.Listeners?.[0]?.ListenerArn, `the ARN of the listener on port ${input.Port ?? 0}`);
}
