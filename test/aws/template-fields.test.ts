import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createCellAws } from '../../src/aws/cell-aws.ts';
import { templateProblems } from '../../src/aws/template-check.ts';
import { findTemplate, type Template } from '../../src/aws/template.ts';
import { exampleCell } from '../support/platform.ts';
import { app, exampleTemplate, exampleUse } from '../unit/aws/example-template.ts';

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const arn = 'arn:aws:ecs:us-east-1:000000000000:task-definition/template:7';
const service = {
  ...{ serviceArn: 'arn:service', serviceName: 'company-x', status: 'ACTIVE', taskDefinition: arn, createdAt: 1 },
  ...{ desiredCount: 1, runningCount: 1, pendingCount: 0, deployments: [], events: [] },
  loadBalancers: [{ targetGroupArn: 'tg', containerName: 'app', containerPort: 8080 }],
};
const { requiresAttributes, ...definition } = exampleTemplate({ containerDefinitions: [app] }).definition;
const described = { ...definition, registeredAt: 1.5, requiresAttributes };

/** A template as an ECS finds it that describes its task definition like this. */
async function templateOf(taskDefinition: object): Promise<Template> {
  const server = http.createServer((request, response) => {
    const isService = String(request.headers['x-amz-target']).endsWith('.DescribeServices');
    const answer = isService ? { services: [service], failures: [] } : { taskDefinition, tags: [] };
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'r-1' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'test' };
  const aws = createCellAws(exampleCell(), { endpointUrl, credentials, pacing: { factor: Infinity } });
  closers.push(
    () => aws.destroy(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  return findTemplate(aws.ecs, 'company-x');
}

const problemsOf = (template: Template) =>
  templateProblems(template, exampleUse({ shared: { secrets: ['API_KEY'], volumes: ['data'] } }));

describe('a template that AWS describes with fields that the SDK does not know', () => {
  it.each([
    [
      'of a volume',
      { volumes: [{ name: 'data', newVolumeConfiguration: { id: 'v-1' } }] },
      'volumes[0].newVolumeConfiguration',
    ],
    ['of the task', { isolationMode: 'strict' }, 'isolationMode'],
    ['that is switched off', { isolated: false }, 'isolated'],
    [
      'of a container',
      { containerDefinitions: [{ ...app, seccompProfile: 'default' }] },
      'containerDefinitions[0].seccompProfile',
    ],
    [
      'inside a known one',
      { containerDefinitions: [{ ...app, healthCheck: { command: ['true'], successThreshold: 3 } }] },
      'containerDefinitions[0].healthCheck.successThreshold',
    ],
  ])('is refused for one %s, which a clone would lose, by its path', async (_, changes, path) => {
    const template = await templateOf({ ...described, ...changes });
    expect(template.unknownFields).toEqual([path]);
    const [problem, ...others] = problemsOf(template);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      code: 'TEMPLATE_UNUSABLE',
      what: expect.stringContaining(`sets ${path}, `) as string,
    });
  });

  it('is taken when they hold nothing', async () => {
    const template = await templateOf({ ...described, newThings: [], newThing: null });
    expect(template.unknownFields).toEqual([]);
    expect(problemsOf(template)).toEqual([]);
  });

  it('keeps every field that the SDK knows, times and maps included', async () => {
    const container = {
      ...app,
      dockerLabels: { team: 'web' },
      ulimits: [{ name: 'nofile', softLimit: 1, hardLimit: 2 }],
    };
    const template = await templateOf({
      ...described,
      containerDefinitions: [container],
      runtimePlatform: { cpuArchitecture: 'ARM64' },
    });
    expect(template.unknownFields).toEqual([]);
    expect(template.definition.registeredAt).toEqual(new Date(1500));
  });
});
