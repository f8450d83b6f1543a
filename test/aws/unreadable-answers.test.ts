import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { createLandingZone, type LandingZone } from '../../src/aws/landing-zone.ts';
import { createPacing } from '../../src/aws/pacing.ts';
import { errorTable, type ErrorCode } from '../../src/contracts/errors.ts';
import { StepError } from '../../src/contracts/step-error.ts';
import { exampleCell } from '../support/platform.ts';

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** An endpoint that sends these bytes to whoever asks, and hangs up. */
async function endpoint(bytes: Buffer): Promise<CellAws> {
  const server = net.createServer((socket) => {
    let seen = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      seen += data.toString();
      if (seen.includes('\r\n\r\n')) socket.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as net.AddressInfo;
  const aws = createCellAws(exampleCell(), {
    endpointUrl: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    pacing: { factor: Infinity },
  });
  closers.push(
    () => aws.destroy(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  return aws;
}

interface Answer {
  readonly type?: string;
  readonly headers?: string;
  readonly length?: number;
}

function httpAnswer(
  status: number,
  body: string | Buffer,
  { type = 'text/html', headers = '', length }: Answer = {},
): Buffer {
  const bytes = Buffer.from(body);
  const head = `HTTP/1.1 ${status} X\r\ncontent-type: ${type}\r\ncontent-length: ${length ?? bytes.length}\r\nconnection: close\r\n${headers}\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

const page = '<html><head><title>Blocked</title></head><body><h1>Access Denied</h1></body></html>';
const json = { type: 'application/x-amz-json-1.1' };
const named = { headers: 'x-amzn-requestid: r-1\r\n' };

/** Answers from which nobody can tell what AWS did. */
const answers: Readonly<Record<string, Buffer>> = {
  'a page, 200': httpAnswer(200, page),
  'a page that is no XML, 403': httpAnswer(403, '<html><body>one<br>two</body></html>'),
  'a redirect, 301': httpAnswer(301, page, { headers: 'location: https://login.test/\r\n' }),
  'a redirect, 302': httpAnswer(302, page, { headers: 'location: https://login.test/\r\n' }),
  'an empty redirect, 307': httpAnswer(307, '', { headers: 'location: https://login.test/\r\n' }),
  'a page, 400': httpAnswer(400, page),
  'a page, 403': httpAnswer(403, page),
  'a page, 404': httpAnswer(404, page),
  'a page, 502': httpAnswer(502, page),
  'a page, 503': httpAnswer(503, page),
  'nothing, 200': httpAnswer(200, ''),
  'nothing, 403': httpAnswer(403, ''),
  'JSON of somebody else, 200': httpAnswer(200, '{"message":"please log in"}', { type: 'application/json' }),
  'JSON of somebody else, 403': httpAnswer(403, '{"message":"Forbidden"}', { type: 'application/json' }),
  'JSON with a number for a code, 403': httpAnswer(403, '{"code":403,"message":"no"}', { type: 'application/json' }),
  'JSON cut short, 200': httpAnswer(200, '{"service": {"serviceArn', { ...json, ...named }),
  'JSON cut short, 400': httpAnswer(400, '{"__type":"AccessDeniedExc', { ...json, ...named }),
  'JSON that is no UTF-8': httpAnswer(200, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), { ...json, ...named }),
  'XML cut short, 200': httpAnswer(200, '<CreateRuleResponse><CreateRuleRes', { type: 'text/xml', ...named }),
  'XML cut short, 400': httpAnswer(400, '<ErrorResponse><Error><Code>AccessDen', { type: 'text/xml', ...named }),
  'a body that ends before its length': httpAnswer(200, '<CreateRule', { length: 4_000 }),
  'a head that ends in its middle': Buffer.from('HTTP/1.1 200 OK\r\ncontent-'),
  'no HTTP at all': Buffer.from('\x15\x03\x01\x00\x02\x02\x28'),
};

const owner = { installationId: 'i', tenantId: 't' };
const tags = { 'tenantry:installation': owner.installationId, 'tenantry:tenant-id': owner.tenantId };
/** A change and a read of each service: awsJson 1.1, query, restXml and restJson. */
const calls: Readonly<Record<string, (aws: CellAws) => Promise<unknown>>> = {
  'ecs:DeleteService': (aws) => aws.ecs.deleteService('s'),
  'ecs:DescribeServices': (aws) => aws.ecs.findService('s'),
  'elasticloadbalancing:DeleteRule': (aws) => aws.loadBalancing.deleteRule('r'),
  'elasticloadbalancing:DeleteTargetGroup': (aws) => aws.loadBalancing.deleteTargetGroup('t'),
  'elasticloadbalancing:DescribeTargetGroups': (aws) => aws.loadBalancing.findTargetGroup('t'),
  'elasticloadbalancing:DescribeRules': (aws) => aws.loadBalancing.findRules('l'),
  'route53:ChangeResourceRecordSets': (aws) =>
    aws.dns.change('Z1', [
      { action: 'DELETE', record: { name: 'a.test', type: 'TXT', ttlSeconds: 60, values: ['"x"'] } },
    ]),
  'route53:ListResourceRecordSets': (aws) => aws.dns.findRecords('Z1', 'a.test'),
  'secretsmanager:DescribeSecret': (aws) => aws.secrets.scheduleDeletion('s', { recoveryDays: 7, tags }),
  'logs:DeleteLogGroup': (aws) => aws.logs.deleteLogGroup('g'),
  'logs:DescribeLogGroups': (aws) => aws.logs.findLogGroup('g'),
  'ses:SendEmail': (aws) =>
    aws.mail.send({ from: 'a@a.test', to: 'b@b.test', subject: 's', text: 't', html: 'h', idempotencyKey: 'k' }),
  'ssm:PutParameter': (aws) => aws.parameters.writeParameter('p', 'v'),
  'ssm:GetParameter': (aws) => aws.parameters.readParameter('p'),
  'sts:GetCallerIdentity': (aws) => aws.identity.whoAmI(),
};

/** Codes after which the next attempt looks first. */
const unclear: readonly ErrorCode[] = ['AWS_ANSWER_UNREADABLE', 'UNCLEAR', 'AWS_UNAVAILABLE'];

describe.each(Object.entries(answers))('%s', (_, bytes) => {
  it('is an unclear answer to every call, tried again, and neither a refusal nor "there is none"', async () => {
    const aws = await endpoint(bytes);
    for (const [name, call] of Object.entries(calls)) {
      const outcome: unknown = await call(aws).then(
        (value) => ({ [name]: value }),
        (error: unknown) => error,
      );
      expect(outcome, name).toBeInstanceOf(StepError);
      const { code } = outcome as StepError;
      expect(unclear, `${name}: ${(outcome as StepError).message}`).toContain(code);
      expect(errorTable[code].retryable).toBe(true);
    }
  });
});

/** What AWS answers to the calls before the one that is cut. */
const before: Readonly<Record<string, string>> = {
  DescribeLogGroups: '{"logGroups":[{"logGroupName":"/ecs/g","arn":"arn:g:*"}]}',
  ListTasks: '{"taskArns":["arn:task"]}',
  ListServices: '{"serviceArns":["arn:service"]}',
  ListTaskDefinitions: '{"taskDefinitionArns":["arn:aws:ecs:r:a:task-definition/f:1"]}',
  DescribeTargetGroups: queryAnswer(
    'DescribeTargetGroups',
    '<TargetGroups><member><TargetGroupArn>arn:tg</TargetGroupArn><TargetGroupName>t</TargetGroupName></member></TargetGroups>',
  ),
  DescribeRules: queryAnswer(
    'DescribeRules',
    '<Rules><member><RuleArn>arn:rule</RuleArn><Priority>1</Priority></member></Rules>',
  ),
  DescribeLoadBalancers: queryAnswer(
    'DescribeLoadBalancers',
    '<LoadBalancers><member><LoadBalancerArn>arn:lb</LoadBalancerArn></member></LoadBalancers>',
  ),
};

function queryAnswer(action: string, result: string): string {
  return `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
}

/** Answers with AWS's request id to every call, whole to those before the named one, and to that one and all others with this body. */
async function cutting(action: string, body: string): Promise<{ aws: CellAws; landingZone: LandingZone }> {
  const server = http.createServer((request, response) => {
    let sent = '';
    request.on('data', (data) => (sent += String(data)));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
      const asked = target ?? /Action=(\w+)/.exec(sent)?.[1] ?? '';
      response.writeHead(200, { 'x-amzn-requestid': 'r-1' }).end(asked === action ? body : (before[asked] ?? body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const options = {
    endpointUrl: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    pacing: createPacing({ factor: Infinity }),
  };
  const aws = createCellAws(exampleCell(), options);
  const landingZone = createLandingZone(exampleCell(), options);
  closers.push(
    () => aws.destroy(),
    () => landingZone.destroy(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  return { aws, landingZone };
}

type Read = (of: { aws: CellAws; landingZone: LandingZone }) => Promise<unknown>;
const never = () => false;

/** Every read, by the call whose answer lacks something; those after the first line of a service need the answers before. */
const reads: readonly (readonly [action: string, what: string, read: Read])[] = [
  ['DescribeServices', 'services', ({ aws }) => aws.ecs.findService('s')],
  ['ListTasks', 'taskArns', ({ aws }) => aws.ecs.findRunningTasks('s')],
  ['DescribeTasks', 'tasks', ({ aws }) => aws.ecs.findRunningTasks('s')],
  ['ListTasks', 'taskArns', ({ aws }) => aws.ecs.findStoppedTasks('s')],
  ['DescribeTasks', 'tasks', ({ aws }) => aws.ecs.findStoppedTasks('s')],
  ['DescribeTaskDefinition', 'taskDefinition', ({ aws }) => aws.ecs.findTaskDefinition('arn:f:1')],
  ['ListTaskDefinitions', 'taskDefinitionArns', ({ aws }) => aws.ecs.findRevisions('f', 'ACTIVE')],
  ['DescribeTargetGroups', 'TargetGroups', ({ aws }) => aws.loadBalancing.findTargetGroup('t')],
  ['DescribeTags', 'TagDescriptions', ({ aws }) => aws.loadBalancing.findTargetGroup('t')],
  ['DescribeTags', 'TagDescriptions', ({ aws }) => aws.loadBalancing.findRuleTags(['arn:rule'])],
  ['DescribeTargetHealth', 'TargetHealthDescriptions', ({ aws }) => aws.loadBalancing.findTargetHealth('arn:tg')],
  ['DescribeRules', 'Rules', ({ aws }) => aws.loadBalancing.findRules('l')],
  ['ListResourceRecordSets', 'ResourceRecordSets', ({ aws }) => aws.dns.findRecords('Z1', 'a.test')],
  ['GetHostedZone', 'HostedZone', ({ aws }) => aws.dns.isPrivateZone('Z1')],
  ['GetChange', 'ChangeInfo.Status', ({ aws }) => aws.dns.isInSync('C1')],
  ['DescribeSecret', 'ARN', ({ aws }) => aws.secrets.findSecret('s')],
  ['GetSecretValue', 'SecretString', ({ aws }) => aws.secrets.readSecret('s')],
  ['DescribeLogGroups', 'logGroups', ({ aws }) => aws.logs.findLogGroup('/ecs/g')],
  ['ListTagsForResource', 'tags', ({ aws }) => aws.logs.findLogGroup('/ecs/g')],
  ['GetParameter', 'Parameter', ({ aws }) => aws.parameters.readParameter('p')],
  ['GetCallerIdentity', 'Account', ({ aws }) => aws.identity.whoAmI()],
  ['DescribeClusters', 'clusters', ({ landingZone }) => landingZone.clusterStatus()],
  ['ListServices', 'serviceArns', ({ landingZone }) => landingZone.serviceNames()],
  ['DescribeLoadBalancers', 'LoadBalancers', ({ landingZone }) => landingZone.loadBalancer('arn:lb')],
  ['DescribeListeners', 'Listeners', ({ landingZone }) => landingZone.loadBalancer('arn:lb')],
  ['GetHostedZone', 'HostedZone', ({ landingZone }) => landingZone.zone('Z1')],
  ['ListHostedZones', 'HostedZones', ({ landingZone }) => landingZone.zones()],
  ['ListTagsForResource', 'tags', ({ aws }) => aws.inventory.logGroups.list(never)],
  ['DescribeLogGroups', 'logGroups', ({ aws }) => aws.inventory.logGroups.list(never)],
  ['DescribeTags', 'TagDescriptions', ({ aws }) => aws.inventory.targetGroups.list(never)],
  ['DescribeTags', 'TagDescriptions', ({ aws }) => aws.inventory.rules.list(never)],
  ['ListServices', 'serviceArns', ({ aws }) => aws.inventory.services.list(never)],
  ['DescribeServices', 'services', ({ aws }) => aws.inventory.services.list(never)],
  ['ListTaskDefinitions', 'taskDefinitionArns', ({ aws }) => aws.inventory.taskDefinitions.list(never)],
  ['DescribeTaskDefinition', 'taskDefinition', ({ aws }) => aws.inventory.taskDefinitions.list(never)],
  ['ListSecrets', 'SecretList', ({ aws }) => aws.inventory.secrets.list(never)],
  ['ListResourceRecordSets', 'ResourceRecordSets', ({ aws }) => aws.inventory.records.list(never)],
  ['DescribeTargetHealth', 'TargetHealthDescriptions', ({ aws }) => aws.inventory.servingTargets('arn:tg')],
  ['DescribeServices', 'services', ({ aws }) => aws.inventory.serviceUse('s')],
];

describe('an answer that bears a request id of AWS', () => {
  /** A sweep's read is tried again for 15.5 s: all at once. */
  it.each(['', '{}'])(
    'and lacks what AWS always sends (its body is "%s") is believed by no read',
    async (body) => {
      const isXml = (action: string) =>
        /Target|Rule|LoadBalancer|Listener|Tags$|Hosted|RecordSets|GetChange|Caller/.test(action);
      const outcomes = reads
        .filter(([action]) => body === '' || action === 'ListTagsForResource' || !isXml(action))
        .map(async ([action, what, read]) => {
          const outcome = await read(await cutting(action, body)).catch((error: unknown) => error);
          expect(outcome, action).toBeInstanceOf(StepError);
          const { code, message } = outcome as StepError;
          expect({ code, action }).toEqual({ code: 'AWS_ANSWER_UNREADABLE', action });
          // An empty body in XML is no answer to the SDK already.
          if (!isXml(action) || action === 'ListTagsForResource')
            expect(message).toContain(`${action} answered without ${what}`);
        });
      expect(outcomes.length).toBeGreaterThan(15);
      await Promise.all(outcomes);
    },
    60_000,
  );

  it('and describes the tags of none that was asked for does not say that they have no mark', async () => {
    const none = queryAnswer('DescribeTags', '<TagDescriptions/>');
    for (const read of [
      ({ aws }) => aws.loadBalancing.findTargetGroup('t'),
      ({ aws }) => aws.loadBalancing.findRuleTags(['arn:rule']),
    ] satisfies Read[])
      await expect(read(await cutting('DescribeTags', none))).rejects.toMatchObject({ code: 'AWS_ANSWER_UNREADABLE' });
  });
});

describe('an answer with an error code of AWS', () => {
  const error = (code: string) =>
    httpAnswer(400, `{"__type":"com.amazonaws.ecs#${code}","message":"no"}`, { ...json, ...named });
  const xml = (code: string) =>
    httpAnswer(
      400,
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
      {
        type: 'text/xml',
      },
    );

  it('is definite, also when the code is new to us', async () => {
    const ecs = (code: string) => endpoint(error(code)).then((aws) => aws.ecs.deleteService('s'));
    await expect(ecs('AccessDeniedException')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(ecs('NeverSeenException')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const elb = (code: string) => endpoint(xml(code)).then((aws) => aws.loadBalancing.deleteRule('r'));
    await expect(elb('AccessDenied')).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    await expect(elb('NeverSeen')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(elb('RuleNotFound')).resolves.toBeUndefined();
  });
});

it('says who answered instead of AWS', async () => {
  const aws = await endpoint(answers['a page, 403'] ?? Buffer.alloc(0));
  await expect(aws.ecs.findService('s')).rejects.toThrow(
    "ecs:DescribeServices got an answer that is not AWS's (status 403, text/html)",
  );
});
