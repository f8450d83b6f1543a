import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
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

function http(
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
  'a page, 200': http(200, page),
  'a page that is no XML, 403': http(403, '<html><body>one<br>two</body></html>'),
  'a redirect, 301': http(301, page, { headers: 'location: https://login.test/\r\n' }),
  'a redirect, 302': http(302, page, { headers: 'location: https://login.test/\r\n' }),
  'an empty redirect, 307': http(307, '', { headers: 'location: https://login.test/\r\n' }),
  'a page, 400': http(400, page),
  'a page, 403': http(403, page),
  'a page, 404': http(404, page),
  'a page, 502': http(502, page),
  'a page, 503': http(503, page),
  'nothing, 200': http(200, ''),
  'nothing, 403': http(403, ''),
  'JSON of somebody else, 200': http(200, '{"message":"please log in"}', { type: 'application/json' }),
  'JSON of somebody else, 403': http(403, '{"message":"Forbidden"}', { type: 'application/json' }),
  'JSON with a number for a code, 403': http(403, '{"code":403,"message":"no"}', { type: 'application/json' }),
  'JSON cut short, 200': http(200, '{"service": {"serviceArn', { ...json, ...named }),
  'JSON cut short, 400': http(400, '{"__type":"AccessDeniedExc', { ...json, ...named }),
  'JSON that is no UTF-8': http(200, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), { ...json, ...named }),
  'XML cut short, 200': http(200, '<CreateRuleResponse><CreateRuleRes', { type: 'text/xml', ...named }),
  'XML cut short, 400': http(400, '<ErrorResponse><Error><Code>AccessDen', { type: 'text/xml', ...named }),
  'a body that ends before its length': http(200, '<CreateRule', { length: 4_000 }),
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

describe('an answer with an error code of AWS', () => {
  const error = (code: string) =>
    http(400, `{"__type":"com.amazonaws.ecs#${code}","message":"no"}`, { ...json, ...named });
  const xml = (code: string) =>
    http(
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
