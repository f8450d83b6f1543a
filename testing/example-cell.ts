import type { Cell } from '../src/contracts/platform.ts';

/** What an example cell needs to serve accounts. */
export const accountsInExample = {
  sharedTables: ['shared-items'],
  ssmParameters: {
    '/platform/dynamodb/shared-table-name': 'shared-items',
    '/platform/dynamodb/shared-table-arn': 'arn:aws:dynamodb:us-east-1:000000000000:table/shared-items',
    '/platform/dynamodb/default-billing-mode': 'PAY_PER_REQUEST',
    '/platform/cloudformation/template-bucket': 'templates',
    '/platform/cloudformation/private-account-template-key': 'private-account-dynamodb.yaml',
  },
} satisfies Partial<Cell>;

/** A cell with one load balancer, for tests that need a description but no AWS behind it. */
export function exampleCell(overrides: Partial<Cell> = {}): Cell {
  return {
    id: 'default',
    environment: 'test',
    accountId: '000000000000',
    region: 'us-east-1',
    vpcId: 'vpc-1',
    subnetIds: ['subnet-1', 'subnet-2'],
    securityGroupIds: ['sg-1'],
    cluster: 'moamalat-cluster',
    allowedRoleArns: ['arn:aws:iam::000000000000:role/task'],
    allowedImageRepositories: ['000000000000.dkr.ecr.us-east-1.amazonaws.com/moamalat-backend'],
    templateServices: { moamalat: { backend: 'moamalat-company-x', frontend: 'moamalat-company-x-frontend' } },
    loadBalancers: [
      {
        arn: 'arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/moamalat-alb/1',
        dnsName: 'moamalat-alb.example.amazonaws.com',
        canonicalHostedZoneId: 'Z35SXDOTRQ7X7K',
        ipAddressType: 'ipv4',
        httpsListenerArn: 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/moamalat-alb/1/2',
        certificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/1',
      },
    ],
    hostedZone: { id: 'Z1', name: 'moamalat-pro.com', drainSeconds: 60 },
    domains: { moamalat: 'moamalat-pro.com' },
    tenantDatabases: [{ id: 'primary', host: 'db.internal', port: 5432, name: 'tenants' }],
    logRetentionDays: 30,
    mailFrom: 'no-reply@moamalat-pro.com',
    mailLocale: 'en',
    ...overrides,
  };
}
