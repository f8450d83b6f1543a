import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import { SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { describe, expect, it } from 'vitest';
import { startGateway } from '../../../sandbox/gateway/gateway.ts';
import { difference, renderDifference } from '../../../sandbox/inventory/inventory.ts';
import { seedLandingZone, setTemplateImage } from '../../../sandbox/landing-zone/seed.ts';
import { parsePlatform } from '../../../src/platform.ts';
import { request, until } from '../gateway/sandbox-aws.ts';
import { useGateway } from '../gateway/shared-gateway.ts';
import { freshAccountId } from '../../support/parts.ts';

const shared = useGateway();
const region = 'eu-central-1';
const database = { host: '127.0.0.1', port: 5432, name: 'tenants' };
const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };

const seed = (endpointUrl: string) => seedLandingZone({ endpointUrl, region, database, credentials });

async function templates(endpointUrl: string) {
  const ecs = new ECSClient({ endpoint: endpointUrl, region, credentials });
  const services = ['moamalat-company-x', 'moamalat-company-x-frontend'];
  const answer = await ecs.send(new DescribeServicesCommand({ cluster: 'moamalat-cluster', services }));
  ecs.destroy();
  return answer.services ?? [];
}

describe('the landing zone', () => {
  it('is described as PLATFORM_CONFIG has it, and its templates run', async () => {
    const platform = await seed(shared.gateway.url);
    expect(parsePlatform(JSON.parse(JSON.stringify(platform)))).toEqual(platform);
    const cell = platform.cells[0]!;
    expect(cell.templateServices).toEqual({
      moamalat: { backend: 'moamalat-company-x', frontend: 'moamalat-company-x-frontend' },
    });
    expect((await templates(shared.gateway.url)).map((s) => [s.status, s.runningCount])).toEqual([
      ['ACTIVE', 1],
      ['ACTIVE', 1],
    ]);
    const balancer = cell.loadBalancers[0]!;
    expect(balancer.connect?.ca).toContain('BEGIN CERTIFICATE');
    const answer = await request(shared.gateway, balancer.httpsListenerArn, 'nobody.moamalat-pro.com');
    expect(answer).toMatchObject({ status: 404, body: 'No such tenant' });
  });

  it('seeded twice is the same, and nothing is made twice', async () => {
    const first = await seed(shared.gateway.url);
    const before = await shared.gateway.inventory();
    expect(await seed(shared.gateway.url)).toEqual(first);
    expect(renderDifference(difference(before, await shared.gateway.inventory()))).toBe('');
  });

  it('runs again behind a new gateway, with nothing made twice', async () => {
    const first = await seed(shared.gateway.url);
    const gateway = await startGateway({ upstreamUrl: shared.upstreamUrl });
    try {
      const again = await seed(gateway.url);
      const fixed = (p: typeof first) => ({
        ...p.cells[0]!,
        loadBalancers: p.cells[0]!.loadBalancers.map((l) => l.arn),
      });
      expect(fixed(again)).toEqual(fixed(first));
      expect((await templates(gateway.url)).map((s) => s.runningCount)).toEqual([1, 1]);
    } finally {
      await gateway.close();
    }
  });

  it('lets an operator break and fix a template', async () => {
    await seed(shared.gateway.url);
    const options = { endpointUrl: shared.gateway.url, region, credentials, component: 'backend' } as const;
    const ecs = new ECSClient({ endpoint: shared.gateway.url, region, credentials });
    for (const tag of ['unhealthy', '1.1']) {
      const arn = await setTemplateImage({ ...options, tag });
      const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: arn }));
      expect(taskDefinition!.containerDefinitions![0]!.image).toMatch(new RegExp(`moamalat-backend:${tag}$`));
      await until(`the template with ${tag}`, async () => {
        const [template] = await templates(shared.gateway.url);
        return template?.taskDefinition === arn && template.deployments?.[0]?.rolloutState === 'COMPLETED';
      });
    }
    ecs.destroy();
  });

  it('can send mails, which can be read back', async () => {
    const platform = await seed(shared.gateway.url);
    const ses = new SESv2Client({ endpoint: shared.gateway.url, region, credentials });
    const { MessageId } = await ses.send(
      new SendEmailCommand({
        FromEmailAddress: platform.cells[0]!.mailFrom,
        Destination: { ToAddresses: ['anna@example.com'] },
        Content: {
          Simple: { Subject: { Data: 'Welcome' }, Body: { Text: { Data: 'https://acme.moamalat-pro.com' } } },
        },
      }),
    );
    ses.destroy();
    const mail = (await shared.gateway.mails()).find((m) => m.messageId === MessageId);
    expect(mail).toMatchObject({ to: ['anna@example.com'], subject: 'Welcome', text: 'https://acme.moamalat-pro.com' });
  });
});
