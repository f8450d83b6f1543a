import { randomInt, randomUUID } from 'node:crypto';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACMClient, RequestCertificateCommand } from '@aws-sdk/client-acm';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type CreateServiceCommandInput,
  type Service,
  type Task,
} from '@aws-sdk/client-ecs';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  type CreateTargetGroupCommandInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { Gateway } from '../../../sandbox/gateway/gateway.ts';
import { freshAccountId } from '../../support/parts.ts';

/** An AWS account of its own for one test, behind a gateway that many tests share. */
export interface Account {
  readonly accountId: string;
  readonly acm: ACMClient;
  readonly ecs: ECSClient;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly route53: Route53Client;
  readonly secrets: SecretsManagerClient;
  readonly logs: CloudWatchLogsClient;
  readonly stacks: CloudFormationClient;
  readonly tables: DynamoDBClient;
  readonly parameters: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
}

export function newAccount(gateway: Pick<Gateway, 'url'>, accountId = freshAccountId()): Account {
  const config = {
    endpoint: gateway.url,
    region: 'us-east-1',
    credentials: { accessKeyId: accountId, secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  return {
    accountId,
    acm: new ACMClient(config),
    ecs: new ECSClient(config),
    elb: new ElasticLoadBalancingV2Client(config),
    route53: new Route53Client(config),
    secrets: new SecretsManagerClient(config),
    logs: new CloudWatchLogsClient(config),
    stacks: new CloudFormationClient(config),
    tables: new DynamoDBClient(config),
    parameters: new SSMClient(config),
    scaling: new ApplicationAutoScalingClient(config),
  };
}

export const cluster = 'test-cluster';

/** A table with the partition key `PK`, a string. */
export async function makeTable(dynamodb: DynamoDBClient, TableName: string): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'PK', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'PK', KeyType: 'HASH' }],
    }),
  );
}

/** A certificate for these names. */
export async function makeCertificate({ acm }: Account, name: string, ...others: string[]): Promise<string> {
  const made = await acm.send(
    new RequestCertificateCommand({ DomainName: name, ...(others.length > 0 && { SubjectAlternativeNames: others }) }),
  );
  return made.CertificateArn!;
}

/** A cluster and a load balancer with an HTTPS listener for `*.moamalat-pro.com` that answers 404. */
export async function makePlatform(account: Account): Promise<{ listenerArn: string; loadBalancerArn: string }> {
  const { ecs, elb } = account;
  await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  const made = await elb.send(new CreateLoadBalancerCommand({ Name: 'test-alb', Subnets: ['subnet-1', 'subnet-2'] }));
  const loadBalancerArn = made.LoadBalancers![0]!.LoadBalancerArn!;
  const listener = await elb.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Port: 443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: await makeCertificate(account, '*.moamalat-pro.com') }],
      DefaultActions: [
        { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404', MessageBody: 'No such tenant' } },
      ],
    }),
  );
  return { listenerArn: listener.Listeners![0]!.ListenerArn!, loadBalancerArn };
}

export async function makeTargetGroup(
  { elb }: Account,
  name: string,
  settings: Partial<CreateTargetGroupCommandInput> = {},
): Promise<string> {
  const made = await elb.send(
    new CreateTargetGroupCommand({
      Name: name,
      Protocol: 'HTTP',
      Port: 8080,
      VpcId: 'vpc-1',
      TargetType: 'ip',
      HealthCheckPath: '/health',
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 3,
      Matcher: { HttpCode: '200-399' },
      ...settings,
    }),
  );
  return made.TargetGroups![0]!.TargetGroupArn!;
}

export interface RuleSettings {
  readonly listenerArn: string;
  readonly priority: number;
  readonly host: string;
  readonly path?: string;
  readonly targetGroupArn: string;
}

export async function makeRule({ elb }: Account, rule: RuleSettings): Promise<string> {
  const made = await elb.send(
    new CreateRuleCommand({
      ListenerArn: rule.listenerArn,
      Priority: rule.priority,
      Conditions: [
        { Field: 'host-header', HostHeaderConfig: { Values: [rule.host] } },
        ...(rule.path ? [{ Field: 'path-pattern', PathPatternConfig: { Values: [rule.path] } }] : []),
      ],
      Actions: [{ Type: 'forward', TargetGroupArn: rule.targetGroupArn }],
    }),
  );
  return made.Rules![0]!.RuleArn!;
}

export interface DefinitionSettings {
  readonly component?: 'backend' | 'frontend';
  readonly tag?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
}

export async function registerDefinition(
  { ecs, accountId }: Account,
  family: string,
  { component = 'backend', tag = '1.0', environment = {}, secrets = {} }: DefinitionSettings = {},
): Promise<string> {
  const made = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      executionRoleArn: `arn:aws:iam::${accountId}:role/execution`,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
      containerDefinitions: [
        {
          name: 'app',
          image: `${accountId}.dkr.ecr.us-east-1.amazonaws.com/moamalat-${component}:${tag}`,
          portMappings: [{ containerPort: component === 'backend' ? 8080 : 80 }],
          environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
          secrets: Object.entries(secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
        },
      ],
    }),
  );
  return made.taskDefinition!.taskDefinitionArn!;
}

export function serviceInput(
  name: string,
  taskDefinition: string,
  targetGroupArn?: string,
  settings: Partial<CreateServiceCommandInput> = {},
): CreateServiceCommandInput {
  return {
    cluster,
    serviceName: name,
    taskDefinition,
    desiredCount: 1,
    launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } },
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
    ...(targetGroupArn && { loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort: 8080 }] }),
    ...settings,
  };
}

/** A service behind a host of its own; the platform must be there. */
export async function makeService(
  account: Account,
  listenerArn: string,
  settings: { readonly name: string; readonly tag?: string; readonly service?: Partial<CreateServiceCommandInput> },
): Promise<{ host: string; targetGroupArn: string }> {
  const { name, tag = '1.0' } = settings;
  const host = `${name}.moamalat-pro.com`;
  const targetGroupArn = await makeTargetGroup(account, name);
  await makeRule(account, { listenerArn, priority: randomInt(1, 50_000), host, targetGroupArn });
  const definition = await registerDefinition(account, name, { tag });
  await account.ecs.send(new CreateServiceCommand(serviceInput(name, definition, targetGroupArn, settings.service)));
  return { host, targetGroupArn };
}

export async function describeService({ ecs }: Account, name: string): Promise<Service> {
  const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [name] }));
  return services[0]!;
}

export async function describeTasks(
  { ecs }: Account,
  name: string,
  desiredStatus: 'RUNNING' | 'STOPPED',
): Promise<Task[]> {
  const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster, serviceName: name, desiredStatus }));
  if (taskArns.length === 0) return [];
  const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
  return tasks;
}

/** Waits until the service's PRIMARY deployment is in this state and returns the service. */
export async function untilRollout(account: Account, name: string, state: 'COMPLETED' | 'FAILED'): Promise<Service> {
  return until(`${name} ${state}`, async () => {
    const service = await describeService(account, name);
    return service.deployments?.find((d) => d.status === 'PRIMARY')?.rolloutState === state ? service : undefined;
  });
}

/** Repeats until the look returns something. @throws Error after 15 s. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited 15 s in vain for: ${what}`);
    await sleep(15);
  }
}

export interface Response {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

/** An HTTPS request to a tenant's host that connects to the listener only, with the name as Host and SNI. */
export async function request(
  gateway: Gateway,
  listenerArn: string,
  host: string,
  path = '/health',
): Promise<Response> {
  const listener = (await gateway.listeners()).find((l) => l.listenerArn === listenerArn);
  if (!listener) throw new Error(`listener ${listenerArn} is not open`);
  return new Promise((resolve, reject) => {
    const outgoing = https.get(
      {
        host: listener.host,
        port: listener.port,
        path,
        servername: host,
        headers: { host, 'x-request-id': randomUUID() },
        ca: listener.ca,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            location: response.headers.location,
          }),
        );
      },
    );
    outgoing.on('error', reject);
  });
}

/** The name of the error that a call ends in. @throws Error when the call succeeds. */
export async function errorOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('the call succeeded');
}
