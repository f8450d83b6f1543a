import {
  DeleteRuleCommand,
  DescribeLoadBalancersCommand,
  CreateListenerCommand,
  SetRulePrioritiesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateServiceCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { actionsFor, wildcard } from '../../../sandbox/gateway/elb/matching.ts';
import {
  makePlatform,
  makeRule,
  makeService,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  request,
  serviceInput,
  untilRollout,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

describe('the load balancer', () => {
  it('routes by host and path, the lower priority number first, and answers 404 for nobody', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { host, targetGroupArn: backend } = await makeService(account, listenerArn, { name: 'acme' });
    await untilRollout(account, 'acme', 'COMPLETED');
    expect(await request(shared.gateway, listenerArn, 'nobody.moamalat-pro.com')).toMatchObject({
      status: 404,
      body: 'No such tenant',
    });
    const empty = await makeTargetGroup(account, 'empty');
    await makeRule(account, { listenerArn, priority: 50_000, host: 'both.moamalat-pro.com', targetGroupArn: empty });
    const path = {
      listenerArn,
      priority: 49_999,
      host: 'both.moamalat-pro.com',
      path: '/api/*',
      targetGroupArn: backend,
    };
    const pathRule = await makeRule(account, path);
    expect((await request(shared.gateway, listenerArn, 'both.moamalat-pro.com', '/api/health')).status).toBe(200);
    expect((await request(shared.gateway, listenerArn, 'both.moamalat-pro.com', '/')).status).toBe(503);
    expect((await request(shared.gateway, listenerArn, host.toUpperCase())).status).toBe(200);
    await account.elb.send(new DeleteRuleCommand({ RuleArn: pathRule }));
    expect((await request(shared.gateway, listenerArn, 'both.moamalat-pro.com', '/api/health')).status).toBe(503);
  });

  it('follows a change of priorities at once', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'order' });
    await untilRollout(account, 'order', 'COMPLETED');
    const empty = await makeTargetGroup(account, 'order-empty');
    const host = 'swap.moamalat-pro.com';
    const full = await makeRule(account, { listenerArn, priority: 20, host, targetGroupArn });
    const blank = await makeRule(account, { listenerArn, priority: 10, host, targetGroupArn: empty });
    expect((await request(shared.gateway, listenerArn, host)).status).toBe(503);
    const swapped = [
      { RuleArn: full, Priority: 10 },
      { RuleArn: blank, Priority: 20 },
    ];
    await account.elb.send(new SetRulePrioritiesCommand({ RulePriorities: swapped }));
    expect((await request(shared.gateway, listenerArn, host)).status).toBe(200);
  });

  it('spreads requests over all tasks of a service', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { host, targetGroupArn } = await makeService(account, listenerArn, { name: 'wide' });
    await untilRollout(account, 'wide', 'COMPLETED');
    const definition = await registerDefinition(account, 'other', {
      component: 'frontend',
      environment: { TENANT_SUBDOMAIN: 'other' },
    });
    const input = serviceInput('other', definition, targetGroupArn, {
      loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort: 80 }],
    });
    await account.ecs.send(new CreateServiceCommand(input));
    await untilRollout(account, 'other', 'COMPLETED');
    const kinds = new Set<number>();
    // The backend knows no page at /, the frontend does.
    for (let i = 0; i < 4; i++) kinds.add((await request(shared.gateway, listenerArn, host, '/')).status);
    expect([...kinds].sort()).toEqual([200, 404]);
  });

  it('redirects plain HTTP to HTTPS', async () => {
    const account = newAccount(shared.gateway);
    const { loadBalancerArn } = await makePlatform(account);
    const made = await account.elb.send(
      new CreateListenerCommand({
        LoadBalancerArn: loadBalancerArn,
        Port: 80,
        Protocol: 'HTTP',
        DefaultActions: [
          { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
        ],
      }),
    );
    const arn = made.Listeners![0]!.ListenerArn;
    const { host, port } = (await shared.gateway.listeners()).find((l) => l.listenerArn === arn)!;
    const answer = await fetch(`http://${host}:${port}/a/b?c=d`, { redirect: 'manual' });
    expect(answer.status).toBe(301);
    expect(answer.headers.get('location')).toBe(`https://${host}:443/a/b?c=d`);
    const { LoadBalancers } = await account.elb.send(new DescribeLoadBalancersCommand({}));
    expect(LoadBalancers).toHaveLength(1);
  });
});

describe('rules', () => {
  it.each([
    ['*.moamalat-pro.com', 'acme.moamalat-pro.com', true],
    ['*.moamalat-pro.com', 'moamalat-pro.com', false],
    ['ac?e.com', 'acme.com', true],
    ['ac?e.com', 'ace.com', false],
    ['a.c', 'abc', false],
    ['/api/*', '/api/', true],
    ['/api/*', '/api', false],
    ['/a+(b)*', '/a+(b)c', true],
  ])('pattern %s on %s: %s', (pattern, text, expected) => {
    expect(wildcard(pattern).test(text)).toBe(expected);
  });

  it('with a condition that is not known match nothing', () => {
    const forward = [{ Type: 'forward' as const, TargetGroupArn: 'tg' }];
    const fallback = [{ Type: 'fixed-response' as const }];
    const rules = [{ arn: 'r', priority: 1, conditions: [{ Field: 'query-string' }], actions: forward }];
    const asked = { method: 'GET', host: 'a', path: '/', headers: {} };
    expect(actionsFor({ rules, defaultActions: fallback }, asked)).toBe(fallback);
    expect(actionsFor({ rules: [{ ...rules[0]!, conditions: [] }], defaultActions: fallback }, asked)).toBe(forward);
  });
});
