import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type ResourceType,
} from '@aws-sdk/client-ec2';
import { required, type SeedClients } from './clients.ts';
import { landingZone } from './names.ts';

export interface Network {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  /** Of the load balancer. */
  readonly publicGroupId: string;
  /** Of the tasks. */
  readonly taskGroupId: string;
}

const subnets = [
  { name: 'private-a', cidr: '10.42.0.0/20', zone: 'a' },
  { name: 'private-b', cidr: '10.42.16.0/20', zone: 'b' },
];

/** VPC, private subnets and security groups; found by their Name tags when they are there. */
export async function ensureNetwork(
  clients: SeedClients,
  region: string,
  taskPorts: readonly number[],
): Promise<Network> {
  const vpcId = await ensureVpc(clients);
  const subnetIds: string[] = [];
  for (const subnet of subnets) subnetIds.push(await ensureSubnet(clients, vpcId, region, subnet));
  const publicGroupId = await ensureGroup(clients, vpcId, `${landingZone}-alb`, [80, 443]);
  const taskGroupId = await ensureGroup(clients, vpcId, `${landingZone}-tasks`, taskPorts);
  return { vpcId, subnetIds, publicGroupId, taskGroupId };
}

async function ensureVpc({ ec2 }: SeedClients): Promise<string> {
  const { Vpcs = [] } = await ec2.send(
    new DescribeVpcsCommand({ Filters: [{ Name: 'tag:Name', Values: [landingZone] }] }),
  );
  const found = Vpcs[0]?.VpcId;
  if (found) return found;
  const made = await ec2.send(
    new CreateVpcCommand({ CidrBlock: '10.42.0.0/16', TagSpecifications: nameTag('vpc', landingZone) }),
  );
  return required(made.Vpc?.VpcId, 'the id of the new VPC');
}

async function ensureSubnet(
  { ec2 }: SeedClients,
  vpcId: string,
  region: string,
  subnet: (typeof subnets)[number],
): Promise<string> {
  const name = `${landingZone}-${subnet.name}`;
  const Filters = [
    { Name: 'tag:Name', Values: [name] },
    { Name: 'vpc-id', Values: [vpcId] },
  ];
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters }));
  const found = Subnets[0]?.SubnetId;
  if (found) return found;
  const made = await ec2.send(
    new CreateSubnetCommand({
      VpcId: vpcId,
      CidrBlock: subnet.cidr,
      AvailabilityZone: `${region}${subnet.zone}`,
      TagSpecifications: nameTag('subnet', name),
    }),
  );
  return required(made.Subnet?.SubnetId, `the id of subnet ${name}`);
}

async function ensureGroup(
  { ec2 }: SeedClients,
  vpcId: string,
  name: string,
  ports: readonly number[],
): Promise<string> {
  const Filters = [
    { Name: 'group-name', Values: [name] },
    { Name: 'vpc-id', Values: [vpcId] },
  ];
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  const found = SecurityGroups[0]?.GroupId;
  if (found) return found;
  const made = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: name, Description: `${name} of the sandbox`, VpcId: vpcId }),
  );
  const groupId = required(made.GroupId, `the id of security group ${name}`);
  const IpPermissions = ports.map((port) => ({
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: port,
    IpRanges: [{ CidrIp: '0.0.0.0/0' }],
  }));
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId: groupId, IpPermissions }));
  return groupId;
}

function nameTag(ResourceType: ResourceType, name: string) {
  return [{ ResourceType, Tags: [{ Key: 'Name', Value: name }] }];
}
