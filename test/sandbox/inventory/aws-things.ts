import { AwsCaller, type AwsRead, type AwsScope } from '../../../sandbox/inventory/aws/caller.ts';
import { signedHeaders } from '../../../sandbox/inventory/aws/signature.ts';

/** How a thing of a kind is made and taken away, without tags, with `name` somewhere in its id or name. */
export interface Thing {
  readonly kind: string;
  /** Answers what finds it, where that is not its name. */
  readonly make: (aws: Aws, name: string) => Promise<string | undefined>;
  readonly take: (aws: Aws, name: string, found: string) => Promise<unknown>;
}

/** Plain calls of an account, for services that the tests have no SDK client of. */
export interface Aws {
  readonly json: (service: string, target: string, input: object) => ReturnType<AwsCaller['read']>;
  readonly query: (
    service: string,
    version: string,
    action: string,
    input: Record<string, string>,
  ) => ReturnType<AwsCaller['read']>;
  readonly rest: (service: string, request: string, body?: string) => Promise<string>;
}

export function awsOf(endpoint: string, scope: AwsScope): Aws {
  const caller = new AwsCaller(endpoint, scope);
  return {
    json: (service, target, input) => caller.read({ protocol: 'json', service, target, input }),
    query: (service, version, action, input) =>
      caller.read({ protocol: 'query', service, version, action, input } satisfies AwsRead),
    rest: async (service, request, body = '') => {
      const [method = '', path = ''] = request.split(' ');
      const url = new URL(path, endpoint);
      const headers = signedHeaders(
        { method, host: url.host, path, query: '', headers: {}, body },
        { accessKeyId: scope.accountId, secretAccessKey: 'test', region: scope.region, service },
      );
      const answer = await fetch(url, { method, headers, ...(body && { body }) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${request} was answered ${answer.status}: ${text}`);
      return text;
    },
  };
}

const ec2 = (aws: Aws, action: string, input: Record<string, string>) => aws.query('ec2', '2016-11-15', action, input);
const rds = (aws: Aws, action: string, input: Record<string, string>) => aws.query('rds', '2014-10-31', action, input);
const cache = (aws: Aws, action: string, input: Record<string, string>) =>
  aws.query('elasticache', '2015-02-02', action, input);
const dynamo = (aws: Aws, action: string, input: object) => aws.json('dynamodb', `DynamoDB_20120810.${action}`, input);
const pools = (aws: Aws, action: string, input: object) =>
  aws.json('cognito-idp', `AWSCognitoIdentityProviderService.${action}`, input);
const identities = (aws: Aws, action: string, input: object) =>
  aws.json('cognito-identity', `AWSCognitoIdentityService.${action}`, input);
const efsId = (text: string, part: string) => String((JSON.parse(text) as Record<string, unknown>)[part]);
const template = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: {} } } });
/** Two subnets of the account's default VPC. */
async function subnetIds(aws: Aws): Promise<Record<string, string>> {
  const [a, b] = (await ec2(aws, 'DescribeSubnets', {})).list('subnetSet').map((subnet) => subnet.text('subnetId'));
  return { 'SubnetIds.SubnetIdentifier.1': a ?? '', 'SubnetIds.SubnetIdentifier.2': b ?? '' };
}

/** Kinds that no tenant of today has things of. */
export const furtherThings: readonly Thing[] = [
  {
    kind: 'iam:role',
    make: async (aws, RoleName) => {
      await aws.query('iam', '2010-05-08', 'CreateRole', {
        RoleName,
        AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
      });
      return undefined;
    },
    take: (aws, RoleName) => aws.query('iam', '2010-05-08', 'DeleteRole', { RoleName }),
  },
  {
    kind: 'acm:certificate',
    make: async (aws, name) =>
      (await aws.json('acm', 'CertificateManager.RequestCertificate', { DomainName: `${name}.example` })).text(
        'CertificateArn',
      ),
    take: (aws, _name, CertificateArn) => aws.json('acm', 'CertificateManager.DeleteCertificate', { CertificateArn }),
  },
  {
    kind: 'sqs:queue',
    make: async (aws, QueueName) => {
      await aws.json('sqs', 'AmazonSQS.CreateQueue', { QueueName });
      return undefined;
    },
    take: async (aws, QueueName) => {
      const QueueUrl = (await aws.json('sqs', 'AmazonSQS.GetQueueUrl', { QueueName })).text('QueueUrl');
      return aws.json('sqs', 'AmazonSQS.DeleteQueue', { QueueUrl });
    },
  },
  {
    kind: 's3:bucket',
    make: async (aws, name) => {
      await aws.rest('s3', `PUT /${name}`);
      return undefined;
    },
    take: (aws, name) => aws.rest('s3', `DELETE /${name}`),
  },
  {
    kind: 'dynamodb:table',
    make: async (aws, TableName) => {
      await dynamo(aws, 'CreateTable', {
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      });
      return undefined;
    },
    take: (aws, TableName) => dynamo(aws, 'DeleteTable', { TableName }),
  },
  {
    kind: 'cloudformation:stack',
    make: async (aws, StackName) => {
      await aws.query('cloudformation', '2010-05-15', 'CreateStack', { StackName, TemplateBody: template });
      return undefined;
    },
    take: (aws, StackName) => aws.query('cloudformation', '2010-05-15', 'DeleteStack', { StackName }),
  },
  {
    kind: 'cognito:user-pool',
    make: async (aws, PoolName) => (await pools(aws, 'CreateUserPool', { PoolName })).text('UserPool.Id'),
    take: (aws, _name, UserPoolId) => pools(aws, 'DeleteUserPool', { UserPoolId }),
  },
  {
    kind: 'cognito:identity-pool',
    make: async (aws, name) =>
      (
        await identities(aws, 'CreateIdentityPool', { IdentityPoolName: name, AllowUnauthenticatedIdentities: false })
      ).text('IdentityPoolId'),
    take: (aws, _name, IdentityPoolId) => identities(aws, 'DeleteIdentityPool', { IdentityPoolId }),
  },
  {
    kind: 'rds:instance',
    make: async (aws, DBInstanceIdentifier) => {
      await rds(aws, 'CreateDBInstance', {
        DBInstanceIdentifier,
        DBInstanceClass: 'db.t3.micro',
        Engine: 'postgres',
        AllocatedStorage: '20',
        MasterUsername: 'master',
        MasterUserPassword: 'not-a-secret',
      });
      return undefined;
    },
    take: (aws, DBInstanceIdentifier) =>
      rds(aws, 'DeleteDBInstance', { DBInstanceIdentifier, SkipFinalSnapshot: 'true' }),
  },
  {
    kind: 'rds:cluster',
    make: async (aws, DBClusterIdentifier) => {
      await rds(aws, 'CreateDBCluster', {
        DBClusterIdentifier,
        Engine: 'aurora-postgresql',
        MasterUsername: 'master',
        MasterUserPassword: 'not-a-secret',
      });
      return undefined;
    },
    take: (aws, DBClusterIdentifier) => rds(aws, 'DeleteDBCluster', { DBClusterIdentifier, SkipFinalSnapshot: 'true' }),
  },
  {
    kind: 'rds:subnet-group',
    make: async (aws, DBSubnetGroupName) => {
      await rds(aws, 'CreateDBSubnetGroup', {
        DBSubnetGroupName,
        DBSubnetGroupDescription: 'a test',
        ...(await subnetIds(aws)),
      });
      return undefined;
    },
    take: (aws, DBSubnetGroupName) => rds(aws, 'DeleteDBSubnetGroup', { DBSubnetGroupName }),
  },
  {
    kind: 'elasticache:cluster',
    make: async (aws, CacheClusterId) => {
      await cache(aws, 'CreateCacheCluster', {
        CacheClusterId,
        Engine: 'redis',
        CacheNodeType: 'cache.t3.micro',
        NumCacheNodes: '1',
      });
      return undefined;
    },
    take: (aws, CacheClusterId) => cache(aws, 'DeleteCacheCluster', { CacheClusterId }),
  },
  {
    kind: 'elasticache:replication-group',
    make: async (aws, ReplicationGroupId) => {
      await cache(aws, 'CreateReplicationGroup', {
        ReplicationGroupId,
        ReplicationGroupDescription: 'a test',
        Engine: 'redis',
        CacheNodeType: 'cache.t3.micro',
      });
      return undefined;
    },
    take: (aws, ReplicationGroupId) => cache(aws, 'DeleteReplicationGroup', { ReplicationGroupId }),
  },
  {
    kind: 'elasticache:subnet-group',
    make: async (aws, CacheSubnetGroupName) => {
      await cache(aws, 'CreateCacheSubnetGroup', {
        CacheSubnetGroupName,
        CacheSubnetGroupDescription: 'a test',
        ...(await subnetIds(aws)),
      });
      return undefined;
    },
    take: (aws, CacheSubnetGroupName) => cache(aws, 'DeleteCacheSubnetGroup', { CacheSubnetGroupName }),
  },
  {
    kind: 'efs:file-system',
    make: async (aws, CreationToken) =>
      efsId(
        await aws.rest('elasticfilesystem', 'POST /2015-02-01/file-systems', JSON.stringify({ CreationToken })),
        'FileSystemId',
      ),
    take: (aws, _name, id) => aws.rest('elasticfilesystem', `DELETE /2015-02-01/file-systems/${id}`),
  },
  {
    kind: 'ec2:vpc',
    make: async (aws) => (await ec2(aws, 'CreateVpc', { CidrBlock: '10.9.0.0/16' })).text('vpc.vpcId'),
    take: (aws, _name, VpcId) => ec2(aws, 'DeleteVpc', { VpcId }),
  },
  {
    kind: 'ec2:security-group',
    make: async (aws, GroupName) =>
      (await ec2(aws, 'CreateSecurityGroup', { GroupName, GroupDescription: 'a test' })).text('groupId'),
    take: (aws, _name, GroupId) => ec2(aws, 'DeleteSecurityGroup', { GroupId }),
  },
  {
    kind: 'ses:identity',
    make: async (aws, name) => {
      await aws.rest('ses', 'POST /v2/email/identities', JSON.stringify({ EmailIdentity: `${name}.example` }));
      return undefined;
    },
    take: (aws, name) => aws.rest('ses', `DELETE /v2/email/identities/${name}.example`),
  },
];
