import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller, type AwsRead } from './caller.ts';
import { facts, lastPart, tagged, tagsOf } from './facts.ts';

/** A kind whose list call says all that an inventory needs. */
interface PlainKind {
  readonly kind: string;
  readonly read: AwsRead;
  /** Where the list is in the answer; its elements are texts or have parts. */
  readonly list: string;
  /** Parts of an element; `''` where the element is a text itself. */
  readonly id: string;
  readonly name?: string;
  readonly detail?: Readonly<Record<string, string>>;
  readonly tags?: string;
  /** Part of the answer that holds the next page's token, and the parameter that takes it. */
  readonly page?: readonly [from: string, to: string];
  /** Elements that are no things: stacks that are deleted, for one. */
  readonly except?: (element: AnswerTree) => boolean;
}

/** What is in the landing zone, and kinds of products that take more than a share of it. */
export async function listFurtherKinds(caller: AwsCaller): Promise<InventoryItem[]> {
  return (await Promise.all(plainKinds.map((kind) => listKind(caller, kind)))).flat();
}

async function listKind(caller: AwsCaller, plain: PlainKind): Promise<InventoryItem[]> {
  const { read, list, page } = plain;
  try {
    const answers = await readPages(
      (token) => caller.read(page && token ? withInput(read, page[1], token) : read),
      (answer) => (page && answer.text(page[0])) || undefined,
    );
    return answers
      .flatMap((answer) => answer.list(list))
      .filter((element) => plain.except?.(element) !== true)
      .map((element) => itemOf(caller, plain, element));
  } catch (error) {
    if (!isUnknownCall(error)) throw error;
    // Said, not passed over: what an emulator cannot list may be there all the same.
    const { accountId, region } = caller.scope;
    return [{ kind: 'not-listed', id: `${accountId}/${region} ${plain.kind}`, name: plain.kind }];
  }
}

function itemOf({ scope }: AwsCaller, { kind, id, name, detail = {}, tags }: PlainKind, element: AnswerTree) {
  const found = id === '' ? element.value : element.text(id);
  const item: InventoryItem = {
    kind,
    id: found.startsWith('arn:') ? found : `${scope.accountId}/${scope.region} ${found}`,
    name: name === undefined ? lastPart(found) : element.text(name) || found,
    detail: facts(Object.fromEntries(Object.entries(detail).map(([fact, part]) => [fact, element.text(part)]))),
  };
  return tags === undefined ? item : tagged(item, tagsOf(element.list(tags)));
}

function withInput(read: AwsRead, name: string, token: string): AwsRead {
  return { ...read, input: { ...read.input, [name]: token } };
}

/** Whether the endpoint does not know the call, as emulators may. */
function isUnknownCall(error: unknown): boolean {
  if (!(error instanceof AwsReadError)) return false;
  return error.status === 501 || /^(UnknownOperation|InvalidAction|NotImplemented|UnrecognizedClient)/.test(error.code);
}

function json(service: string, target: string, input: object = {}): AwsRead {
  return { protocol: 'json', service, target, input };
}

function query(service: string, version: string, action: string): AwsRead {
  return { protocol: 'query', service, version, action };
}

function rest(service: string, path: string): AwsRead {
  return { protocol: 'rest', service, path };
}

const ec2 = (action: string) => query('ec2', '2016-11-15', action);
const rds = (action: string) => query('rds', '2014-10-31', action);
const cache = (action: string) => query('elasticache', '2015-02-02', action);
const ec2Page = ['nextToken', 'NextToken'] as const;

const plainKinds: readonly PlainKind[] = [
  {
    kind: 'iam:role',
    read: query('iam', '2010-05-08', 'ListRoles'),
    list: 'ListRolesResult.Roles',
    id: 'Arn',
    name: 'RoleName',
    page: ['ListRolesResult.Marker', 'Marker'],
  },
  {
    kind: 'acm:certificate',
    read: json('acm', 'CertificateManager.ListCertificates', { MaxItems: 100 }),
    list: 'CertificateSummaryList',
    id: 'CertificateArn',
    name: 'DomainName',
    detail: { status: 'Status' },
    page: ['NextToken', 'NextToken'],
  },
  { kind: 's3:bucket', read: rest('s3', '/'), list: 'Buckets', id: 'Name' },
  {
    kind: 'cloudformation:stack',
    read: query('cloudformation', '2010-05-15', 'DescribeStacks'),
    list: 'DescribeStacksResult.Stacks',
    id: 'StackId',
    name: 'StackName',
    detail: { status: 'StackStatus' },
    tags: 'Tags',
    page: ['DescribeStacksResult.NextToken', 'NextToken'],
    except: (stack) => stack.text('StackStatus') === 'DELETE_COMPLETE',
  },
  {
    kind: 'cognito:user-pool',
    read: json('cognito-idp', 'AWSCognitoIdentityProviderService.ListUserPools', { MaxResults: 60 }),
    list: 'UserPools',
    id: 'Id',
    name: 'Name',
    page: ['NextToken', 'NextToken'],
  },
  {
    kind: 'cognito:identity-pool',
    read: json('cognito-identity', 'AWSCognitoIdentityService.ListIdentityPools', { MaxResults: 60 }),
    list: 'IdentityPools',
    id: 'IdentityPoolId',
    name: 'IdentityPoolName',
    page: ['NextToken', 'NextToken'],
  },
  {
    kind: 'rds:instance',
    read: rds('DescribeDBInstances'),
    list: 'DescribeDBInstancesResult.DBInstances',
    id: 'DBInstanceArn',
    name: 'DBInstanceIdentifier',
    detail: { status: 'DBInstanceStatus', class: 'DBInstanceClass' },
    tags: 'TagList',
    page: ['DescribeDBInstancesResult.Marker', 'Marker'],
  },
  {
    kind: 'rds:cluster',
    read: rds('DescribeDBClusters'),
    list: 'DescribeDBClustersResult.DBClusters',
    id: 'DBClusterArn',
    name: 'DBClusterIdentifier',
    detail: { status: 'Status' },
    tags: 'TagList',
    page: ['DescribeDBClustersResult.Marker', 'Marker'],
  },
  {
    kind: 'rds:snapshot',
    read: rds('DescribeDBSnapshots'),
    list: 'DescribeDBSnapshotsResult.DBSnapshots',
    id: 'DBSnapshotArn',
    name: 'DBSnapshotIdentifier',
    detail: { status: 'Status' },
    tags: 'TagList',
    page: ['DescribeDBSnapshotsResult.Marker', 'Marker'],
  },
  {
    kind: 'rds:subnet-group',
    read: rds('DescribeDBSubnetGroups'),
    list: 'DescribeDBSubnetGroupsResult.DBSubnetGroups',
    id: 'DBSubnetGroupArn',
    name: 'DBSubnetGroupName',
    page: ['DescribeDBSubnetGroupsResult.Marker', 'Marker'],
  },
  {
    kind: 'elasticache:cluster',
    read: cache('DescribeCacheClusters'),
    list: 'DescribeCacheClustersResult.CacheClusters',
    id: 'ARN',
    name: 'CacheClusterId',
    detail: { status: 'CacheClusterStatus' },
    page: ['DescribeCacheClustersResult.Marker', 'Marker'],
  },
  {
    kind: 'elasticache:replication-group',
    read: cache('DescribeReplicationGroups'),
    list: 'DescribeReplicationGroupsResult.ReplicationGroups',
    id: 'ARN',
    name: 'ReplicationGroupId',
    detail: { status: 'Status' },
    page: ['DescribeReplicationGroupsResult.Marker', 'Marker'],
  },
  {
    kind: 'elasticache:subnet-group',
    read: cache('DescribeCacheSubnetGroups'),
    list: 'DescribeCacheSubnetGroupsResult.CacheSubnetGroups',
    id: 'CacheSubnetGroupName',
    page: ['DescribeCacheSubnetGroupsResult.Marker', 'Marker'],
  },
  {
    kind: 'efs:file-system',
    read: rest('elasticfilesystem', '/2015-02-01/file-systems'),
    list: 'FileSystems',
    id: 'FileSystemId',
    detail: { state: 'LifeCycleState' },
    tags: 'Tags',
    page: ['NextMarker', 'Marker'],
  },
  {
    kind: 'efs:access-point',
    read: rest('elasticfilesystem', '/2015-02-01/access-points'),
    list: 'AccessPoints',
    id: 'AccessPointId',
    detail: { fileSystem: 'FileSystemId' },
    tags: 'Tags',
    page: ['NextToken', 'NextToken'],
  },
  {
    kind: 'ec2:vpc',
    read: ec2('DescribeVpcs'),
    list: 'vpcSet',
    id: 'vpcId',
    detail: { cidr: 'cidrBlock', state: 'state' },
    tags: 'tagSet',
    page: ec2Page,
  },
  {
    kind: 'ec2:subnet',
    read: ec2('DescribeSubnets'),
    list: 'subnetSet',
    id: 'subnetId',
    detail: { vpc: 'vpcId', cidr: 'cidrBlock' },
    tags: 'tagSet',
    page: ec2Page,
  },
  {
    kind: 'ec2:security-group',
    read: ec2('DescribeSecurityGroups'),
    list: 'securityGroupInfo',
    id: 'groupId',
    name: 'groupName',
    detail: { vpc: 'vpcId' },
    tags: 'tagSet',
    page: ec2Page,
  },
  {
    kind: 'ec2:network-interface',
    read: ec2('DescribeNetworkInterfaces'),
    list: 'networkInterfaceSet',
    id: 'networkInterfaceId',
    detail: { subnet: 'subnetId', status: 'status' },
    tags: 'tagSet',
    page: ec2Page,
  },
  {
    kind: 'ses:identity',
    read: rest('ses', '/v2/email/identities'),
    list: 'EmailIdentities',
    id: 'IdentityName',
    detail: { type: 'IdentityType' },
    page: ['NextToken', 'NextToken'],
  },
];
