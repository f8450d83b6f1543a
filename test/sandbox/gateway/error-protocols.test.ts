import { CloudWatchLogsClient, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DeleteRuleCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { DeleteHostedZoneCommand, ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
import { GetAccountCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from '../../../sandbox/gateway/gateway.ts';
import { errorOf } from './sandbox-aws.ts';

let gateway: Gateway;
beforeAll(async () => {
  // No call reaches what is behind it.
  gateway = await startGateway({ upstreamUrl: 'http://127.0.0.1:9' });
  gateway.addRule({ match: {}, fault: { type: 'error', when: 'before', code: 'Refused', status: 403 }, times: null });
});
afterAll(() => gateway.close());

describe('an injected error is read as its own code by the client of a service that speaks', () => {
  const role = { RoleName: 'r', AssumeRolePolicyDocument: '{}' };
  const config = () => ({
    endpoint: gateway.url,
    region: 'us-east-1',
    credentials: { accessKeyId: '123456789012', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  it.each<[string, () => Promise<unknown>]>([
    ['query (IAM)', () => new IAMClient(config()).send(new CreateRoleCommand(role))],
    [
      'query (STS)',
      () => new STSClient(config()).send(new AssumeRoleCommand({ RoleArn: 'a:b:c', RoleSessionName: 's' })),
    ],
    ['query (ELB)', () => new ElasticLoadBalancingV2Client(config()).send(new DeleteRuleCommand({ RuleArn: 'arn' }))],
    ['EC2', () => new EC2Client(config()).send(new DescribeVpcsCommand({}))],
    ['JSON 1.0 (SQS)', () => new SQSClient(config()).send(new DeleteQueueCommand({ QueueUrl: `${gateway.url}/q` }))],
    [
      'JSON 1.1 (logs)',
      () => new CloudWatchLogsClient(config()).send(new DeleteLogGroupCommand({ logGroupName: 'g' })),
    ],
    ['REST with JSON (SES)', () => new SESv2Client(config()).send(new GetAccountCommand({}))],
    [
      'REST with XML (Route 53), without a body',
      () => new Route53Client(config()).send(new ListHostedZonesCommand({})),
    ],
    ['REST with XML (Route 53)', () => new Route53Client(config()).send(new DeleteHostedZoneCommand({ Id: 'Z1' }))],
  ])('%s', async (_, send) => {
    expect(await errorOf(send())).toMatchObject({
      name: 'Refused',
      message: 'Refused injected by the gateway',
      $metadata: { httpStatusCode: 403 },
    });
  });
});

describe('an injected error is written as the request is, of a service without a client here', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const wrapped = /^<\?xml .*<ErrorResponse><Error><Type>Sender<\/Type><Code>Refused<\/Code>/;
  it.each<[string, string, string, Readonly<Record<string, string>>, string, string, RegExp]>([
    ['sns', 'POST', '/', form, 'Action=CreateTopic&Name=t&Version=2010-03-31', 'text/xml', wrapped],
    ['rds', 'POST', '/', form, 'Action=CreateDBInstance&Version=2014-10-31', 'text/xml', wrapped],
    ['elasticache', 'POST', '/', form, 'Version=2015-02-02&Action=CreateCacheCluster', 'text/xml', wrapped],
    [
      'dynamodb',
      'POST',
      '/',
      { 'x-amz-target': 'DynamoDB_20120810.CreateTable', 'content-type': 'application/x-amz-json-1.0' },
      '{}',
      'application/x-amz-json-1.1',
      /"__type":"Refused"/,
    ],
    ['lambda', 'GET', '/2015-03-31/functions', {}, '', 'application/json', /"__type":"Refused"/],
    ['s3', 'PUT', '/bucket', {}, '', 'text/xml', /^<\?xml [^>]*><Error><Code>Refused<\/Code>/],
    ['cloudfront', 'GET', '/2020-05-31/distribution', {}, '', 'text/xml', wrapped],
    [
      'monitoring',
      'POST',
      '/service/GraniteServiceVersion20100801/operation/PutMetricAlarm',
      { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' },
      '',
      'application/cbor',
      /__type.*Refused.*message.*Refused injected by the gateway$/s,
    ],
  ])('%s', async (service, method, path, headers, body, contentType, text) => {
    const scope = `123456789012/20260101/us-east-1/${service}/aws4_request`;
    const answer = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
      ...(method !== 'GET' && { body }),
    });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('content-type')).toBe(contentType);
    expect(await answer.text()).toMatch(text);
  });
});
