import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeLogGroupsCommand, CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CreateClusterCommand, DescribeClustersCommand } from '@aws-sdk/client-ecs';
import { DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ListHostedZonesCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway, type Gateway } from '../../../sandbox/gateway/gateway.ts';
import { classifyAwsError } from '../../../src/aws/errors.ts';
import { errorOf, newAccount, until, type Account } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
afterEach(() => {
  shared.gateway.setFaults({ rules: null, turbulence: null });
  shared.gateway.release();
});

const hasCluster = async ({ ecs }: Account, name: string) => {
  const { clusters = [] } = await ecs.send(new DescribeClustersCommand({ clusters: [name] }));
  return clusters.some((c) => c.clusterName === name && c.status === 'ACTIVE');
};
const lastCall = (account: Account, action: string) =>
  shared.gateway.calls().findLast((c) => c.account === account.accountId && c.action === action);
/** A call of this account that changes something. */
const makeCluster = (account: Account, name: string, abortSignal?: AbortSignal) =>
  account.ecs.send(new CreateClusterCommand({ clusterName: name }), { abortSignal });

function strange(gateway: Pick<Gateway, 'url'>) {
  const config = {
    endpoint: gateway.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  return {
    logs: new CloudWatchLogsClient(config),
    ses: new SESv2Client(config),
    sts: new STSClient(config),
    iam: new IAMClient(config),
    ec2: new EC2Client(config),
  };
}

describe('an error', () => {
  it('before the effect leaves nothing behind and says its code', async () => {
    const account = newAccount(shared.gateway);
    const id = shared.gateway.addRule({
      match: { action: 'CreateCluster', contains: account.accountId },
      fault: { type: 'error', when: 'before', code: 'ServerException' },
    });
    const name = `c-${account.accountId}`;
    const error = await errorOf(makeCluster(account, name));
    expect(error).toMatchObject({ name: 'ServerException', $metadata: { httpStatusCode: 500 } });
    // What an operator gives to AWS's support.
    expect(classifyAwsError(error, { service: 'ecs', action: 'CreateCluster' }).detail).toMatch(
      /^AWS request id [0-9a-f-]{36}$/,
    );
    expect(await hasCluster(account, name)).toBe(false);
    expect(lastCall(account, 'CreateCluster')).toMatchObject({
      outcome: 'error',
      code: 'ServerException',
      kind: 'change',
      resource: name,
      fault: { ruleId: id, type: 'error' },
    });
    expect(lastCall(account, 'CreateCluster')).not.toHaveProperty('effect');
  });

  it('after the effect hides what was done, and the log tells', async () => {
    const account = newAccount(shared.gateway);
    const name = `c-${account.accountId}`;
    shared.gateway.addRule({
      match: { contains: name, kind: 'change' },
      fault: { type: 'error', when: 'after', code: 'ServiceUnavailableException', message: 'later' },
    });
    const error = await errorOf(makeCluster(account, name));
    expect(error).toMatchObject({ message: 'later', $metadata: { httpStatusCode: 503 } });
    expect(await hasCluster(account, name)).toBe(true);
    expect(lastCall(account, 'CreateCluster')).toMatchObject({
      outcome: 'error',
      status: 503,
      effect: { status: 200 },
    });
  });
});

describe('a cut', () => {
  it.each(['before', 'after'] as const)('%s the effect gives no answer', async (when) => {
    const account = newAccount(shared.gateway);
    const name = `c-${account.accountId}`;
    shared.gateway.addRule({ match: { contains: name }, fault: { type: 'cut', when } });
    const error = await errorOf(makeCluster(account, name));
    expect(classifyAwsError(error, { service: 'ecs', action: 'CreateCluster' }).code).toBe('UNCLEAR');
    expect(await hasCluster(account, name)).toBe(when === 'after');
    expect(lastCall(account, 'CreateCluster')).toMatchObject({ outcome: 'cut', status: 0 });
  });
});

describe('a late effect', () => {
  it('happens after its caller gave up, and at its time', async () => {
    const account = newAccount(shared.gateway);
    const name = `c-${account.accountId}`;
    shared.gateway.addRule({
      match: { contains: name, kind: 'change' },
      fault: { type: 'late', effectAfterMs: 3_000 },
    });
    const caller = new AbortController();
    const call = errorOf(makeCluster(account, name, caller.signal));
    await until('the call', async () => shared.gateway.faults().pendingLate === 1);
    caller.abort();
    await call;
    expect(shared.gateway.faults().pendingLate).toBe(1);
    expect(await hasCluster(account, name)).toBe(false);
    expect(lastCall(account, 'CreateCluster')).toMatchObject({ outcome: 'late', status: 0 });
    await shared.gateway.whenQuiet();
    expect(await hasCluster(account, name)).toBe(true);
    const { at, effect } = lastCall(account, 'CreateCluster')!;
    expect(effect).toMatchObject({ status: 200 });
    expect(Date.parse(effect!.at) - Date.parse(at)).toBeGreaterThanOrEqual(2_995);
  });
});

it('a slow answer comes late, its effect at once', async () => {
  const account = newAccount(shared.gateway);
  const name = `c-${account.accountId}`;
  shared.gateway.addRule({ match: { contains: name, kind: 'change' }, fault: { type: 'slow', delayMs: 4_000 } });
  let answered = false;
  const call = makeCluster(account, name).then(() => {
    answered = true;
  });
  await until('the effect', () => hasCluster(account, name));
  expect(answered).toBe(false);
  await call;
  expect(lastCall(account, 'CreateCluster')).toMatchObject({ outcome: 'ok', fault: { type: 'slow' } });
  expect(lastCall(account, 'CreateCluster')!.durationMs).toBeGreaterThanOrEqual(3_995);
});

describe('throttling', () => {
  it('is said in the words of each service, and understood by the product', async () => {
    const { ecs, elb, route53, secrets } = newAccount(shared.gateway);
    const { logs, ses, sts, iam, ec2 } = strange(shared.gateway);
    shared.gateway.setFaults({ rules: [{ match: {}, fault: { type: 'throttle' }, times: null }] });
    const mail = {
      FromEmailAddress: 'a@example.com',
      Destination: { ToAddresses: ['b@example.com'] },
      Content: { Simple: { Subject: { Data: 'x' }, Body: { Text: { Data: 'y' } } } },
    };
    const calls: [string, string, number, () => Promise<unknown>][] = [
      ['ecs', 'ThrottlingException', 400, () => ecs.send(new DescribeClustersCommand({}))],
      ['elasticloadbalancing', 'Throttling', 400, () => elb.send(new DescribeTargetGroupsCommand({}))],
      ['route53', 'Throttling', 400, () => route53.send(new ListHostedZonesCommand({}))],
      ['secretsmanager', 'ThrottlingException', 400, () => secrets.send(new DescribeSecretCommand({ SecretId: 'x' }))],
      ['logs', 'ThrottlingException', 400, () => logs.send(new DescribeLogGroupsCommand({}))],
      ['sts', 'ThrottlingException', 400, () => sts.send(new GetCallerIdentityCommand({}))],
      ['iam', 'ThrottlingException', 400, () => iam.send(new ListRolesCommand({}))],
      ['ec2', 'RequestLimitExceeded', 503, () => ec2.send(new DescribeVpcsCommand({}))],
      ['ses', 'TooManyRequestsException', 429, () => ses.send(new SendEmailCommand(mail))],
    ];
    for (const [service, code, status, send] of calls) {
      const error = await errorOf(send());
      expect(error, service).toMatchObject({ name: code, $metadata: { httpStatusCode: status } });
      expect(classifyAwsError(error, { service, action: 'Whatever' }).code).toBe('THROTTLED');
      expect(shared.gateway.calls().at(-1)).toMatchObject({ service, code, outcome: 'throttled' });
    }
  });
});

describe('a parked call', () => {
  it('before its effect has none when its caller goes away', async () => {
    const account = newAccount(shared.gateway);
    const name = `c-${account.accountId}`;
    const ruleId = shared.gateway.addRule({
      match: { contains: name, kind: 'change' },
      fault: { type: 'park', when: 'before' },
    });
    const caller = new AbortController();
    const call = errorOf(makeCluster(account, name, caller.signal));
    const [parked] = await until(
      'the call',
      async () => shared.gateway.faults().parked.length > 0 && shared.gateway.faults().parked,
    );
    expect(parked).toMatchObject({ ruleId, when: 'before', call: { action: 'CreateCluster', resource: name } });
    caller.abort();
    await call;
    await shared.gateway.whenQuiet();
    expect(lastCall(account, 'CreateCluster')).toMatchObject({ outcome: 'parked', status: 0, fault: { type: 'park' } });
    expect(await hasCluster(account, name)).toBe(false);
  });

  it('after its effect has had it, and is answered once it is released', async () => {
    const account = newAccount(shared.gateway);
    const name = `c-${account.accountId}`;
    shared.gateway.addRule({ match: { contains: name, kind: 'change' }, fault: { type: 'park', when: 'after' } });
    const call = makeCluster(account, name);
    await until('the call', async () => shared.gateway.faults().parked.length > 0);
    expect(await hasCluster(account, name)).toBe(true);
    expect(shared.gateway.release('parked-elsewhere')).toBe(0);
    expect(shared.gateway.release(shared.gateway.faults().parked[0]!.id)).toBe(1);
    expect((await call).cluster?.clusterName).toBe(name);
    expect(lastCall(account, 'CreateCluster')).toMatchObject({ outcome: 'ok', fault: { type: 'park' } });
  });
});

it.each([
  ['parked before its effect', { type: 'park', when: 'before' }],
  ['to be late', { type: 'late', effectAfterMs: 300 }],
] as const)('a call %s has none when the gateway closes', async (_what, fault) => {
  const gateway = await startGateway({ upstreamUrl: shared.upstreamUrl });
  const account = newAccount(gateway);
  const name = `c-${account.accountId}`;
  gateway.addRule({ match: { contains: name }, fault });
  const call = errorOf(makeCluster(account, name));
  await until('the call', async () => gateway.faults().pendingLate + gateway.faults().parked.length === 1);
  await gateway.close();
  await call;
  await gateway.whenQuiet();
  await sleep(400);
  expect(await hasCluster(newAccount(shared.gateway, account.accountId), name)).toBe(false);
});

describe('a rule', () => {
  it('strikes as often as it says, after as many as it lets pass', async () => {
    const account = newAccount(shared.gateway);
    const id = shared.gateway.addRule({
      match: { service: 'ecs', action: 'DescribeClusters', contains: account.accountId },
      fault: { type: 'throttle' },
      skip: 1,
      times: 2,
    });
    const outcomes: boolean[] = [];
    for (let i = 0; i < 5; i++)
      outcomes.push(
        await hasCluster(account, account.accountId).then(
          () => true,
          () => false,
        ),
      );
    expect(outcomes).toEqual([true, false, false, true, true]);
    const [view] = shared.gateway.faults().rules;
    expect(view).toMatchObject({ id, hits: 2, seen: 5 });
    expect(Date.parse(view!.lastHitAt!)).toBeGreaterThan(Date.now() - 10_000);
  });

  it('knows callers by their user agent and names by what is sent encoded', async () => {
    const account = newAccount(shared.gateway);
    account.ecs.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        const caller = 'app/w1 tenantry-operation/op-1 tenantry-step/deploy:backend tenantry-verb/ensure';
        headers['user-agent'] = `${headers['user-agent'] ?? ''} ${caller}`;
        return next(args);
      },
      { step: 'finalizeRequest', name: 'caller' },
    );
    const other = newAccount(shared.gateway);
    const match = { app: 'w1', operationId: 'op-1', stepId: 'deploy:backend', verb: 'ensure' };
    const arn = 'arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/x/1';
    shared.gateway.setFaults({
      rules: [
        { match, fault: { type: 'throttle' } },
        { match: { contains: arn }, fault: { type: 'throttle' } },
        { match: { contains: 'a b.example' }, fault: { type: 'throttle' } },
      ],
    });
    expect(await hasCluster(other, 'x')).toBe(false);
    expect((await errorOf(hasCluster(account, 'x'))).name).toBe('ThrottlingException');
    expect(lastCall(account, 'DescribeClusters')).toMatchObject({ caller: match, account: account.accountId });
    const groups = other.elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
    expect((await errorOf(groups)).name).toBe('Throttling');
    expect(lastCall(other, 'DescribeTargetGroups')).toMatchObject({ resource: arn });
    const records = new ListResourceRecordSetsCommand({ HostedZoneId: 'Z1', StartRecordName: 'a b.example' });
    expect((await errorOf(other.route53.send(records))).name).toBe('Throttling');
    expect(lastCall(other, 'ListResourceRecordSets')).toMatchObject({ resource: 'a b.example', kind: 'read' });
  });
});

describe('the control surface', () => {
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(new URL(`/_gateway/${path}`, shared.gateway.url), {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it('sets, shows and clears rules', async () => {
    const rule = { match: { stepId: randomUUID() }, fault: { type: 'cut', when: 'after' } };
    const added = await ask('POST', 'faults/rules', { id: 'mine', ...rule });
    expect(added).toEqual({ status: 200, body: { id: 'mine' } });
    expect((await ask('POST', 'faults/rules', { id: 'mine', ...rule })).status).toBe(400);
    expect((await ask('GET', 'weather')).body).toEqual((await ask('GET', 'faults')).body);
    expect((await ask('GET', 'faults')).body).toMatchObject({
      rules: [{ id: 'mine', hits: 0 }],
      parked: [],
      pendingLate: 0,
    });
    expect((await ask('DELETE', 'faults/rules/mine')).status).toBe(200);
    expect((await ask('DELETE', 'faults/rules/mine')).status).toBe(404);
    expect((await ask('PUT', 'faults', { rules: [rule, rule] })).body).toMatchObject({ rules: [rule, rule] });
    expect((await ask('PUT', 'faults', {})).body).toMatchObject({ rules: [rule, rule] });
    expect((await ask('PUT', 'faults', { rules: null })).body).toMatchObject({ rules: [] });
    expect((await ask('POST', 'faults/release')).body).toEqual({ released: 0 });
    expect((await ask('POST', 'faults/release', { id: 'none' })).status).toBe(404);
  });

  it.each([
    ['an unknown fault', { rules: [{ match: {}, fault: { type: 'hail' } }] }],
    ['an unknown field to match', { rules: [{ match: { tenant: 'x' }, fault: { type: 'throttle' } }] }],
    ['a fault without its moment', { rules: [{ match: {}, fault: { type: 'cut' } }] }],
    ['two rules of one id', { rules: ['a', 'a'].map((id) => ({ id, match: {}, fault: { type: 'throttle' } })) }],
    ['a rate above one', { turbulence: { seed: 1, rates: { cut: 2 } } }],
    ['random parking', { turbulence: { seed: 1, rates: { park: 0.1 } } }],
  ])('refuses %s', async (_what, setting) => {
    const answer = await ask('PUT', 'faults', setting);
    expect(answer.status).toBe(400);
    expect(answer.body).toHaveProperty('error');
  });

  it('gives the calls after a number', async () => {
    const account = newAccount(shared.gateway);
    await hasCluster(account, 'x');
    const last = shared.gateway.calls().at(-1)!.seq;
    await hasCluster(account, 'y');
    const answer = await fetch(new URL(`/_gateway/calls?after=${last}`, shared.gateway.url));
    expect(await answer.json()).toMatchObject([{ seq: last + 1, action: 'DescribeClusters', resource: 'y' }]);
    expect(shared.gateway.calls(last + 1)).toEqual([]);
    expect((await ask('GET', 'calls?after=x')).status).toBe(400);
  });
});
