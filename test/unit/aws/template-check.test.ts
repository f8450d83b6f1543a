import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { refuseUnclonable, templateProblems } from '../../../src/aws/template-check.ts';
import { findApp } from '../../../src/aws/template-app.ts';
import type { Template, TemplateUse } from '../../../src/aws/template.ts';
import { app, exampleTemplate, exampleUse, sidecar } from './example-template.ts';

const target = (containerName: string, containerPort: number) => ({
  targetGroupArn: 'tg',
  containerName,
  containerPort,
});
const tcp = (...ports: number[]) => ports.map((containerPort) => ({ containerPort }));
const problems = (template: Template, use: Partial<TemplateUse> = {}) =>
  templateProblems(template, exampleUse(use)).map(({ what }) => what);

describe("a template's application", () => {
  const admin = { ...app, name: 'admin', portMappings: tcp(9000) };

  it.each([
    ['its load balancer names, behind a sidecar', exampleTemplate(), 'app', 8080],
    [
      'two target groups name',
      exampleTemplate({}, [target('app', 8080), { ...target('app', 8080), targetGroupArn: 'b' }]),
      'app',
      8080,
    ],
    ['is the only one with a TCP port, when there is no load balancer', exampleTemplate({}, []), 'app', 8080],
    [
      'its load balancer names among several',
      exampleTemplate({ containerDefinitions: [app, admin] }, [target('admin', 9000)]),
      'admin',
      9000,
    ],
  ] as const)('is the one that %s', (_, template, containerName, containerPort) => {
    expect(findApp(template)).toEqual({ containerName, containerPort });
  });

  it.each([
    [
      'several ports by TCP and no load balancer',
      exampleTemplate({ containerDefinitions: [admin, app] }, []),
      'give the service a load balancer',
    ],
    [
      'a range of ports and no load balancer',
      exampleTemplate(
        { containerDefinitions: [app, { ...admin, portMappings: [{ containerPortRange: '9000-9005' }] }] },
        [],
      ),
      'admin:9000',
    ],
    [
      'load balancers for two containers',
      exampleTemplate({}, [target('app', 8080), target('sidecar', 2000)]),
      'app:8080, sidecar:2000',
    ],
    ['no TCP port', exampleTemplate({ containerDefinitions: [sidecar] }, []), 'maps no TCP port'],
    ['no container', exampleTemplate({ containerDefinitions: [] }, []), 'maps no TCP port'],
    ['a container that is not there', exampleTemplate({}, [target('web', 80)]), 'no such container'],
    ['a port that is not mapped', exampleTemplate({}, [target('app', 8081)]), 'does not map'],
    ['a port that is mapped by UDP', exampleTemplate({}, [target('sidecar', 2000)]), 'map it by TCP'],
    [
      'a container that is not essential',
      exampleTemplate({ containerDefinitions: [{ ...app, essential: false }] }),
      'not essential',
    ],
  ] as const)('is refused with %s', (_, template, words) => {
    expect(findApp(template)).toEqual({ problem: expect.stringContaining(words) as string });
    expect(problems(template).join()).toContain(words);
  });
});

describe('a template', () => {
  const fileSystem = { name: 'media', efsVolumeConfiguration: { fileSystemId: 'fs-1' } };
  const withApp = (changes: Partial<typeof app>) =>
    exampleTemplate({ containerDefinitions: [sidecar, { ...app, ...changes }] });
  const withVariable = (name: string, value: string) => withApp({ environment: [{ name, value }] });
  const file = 'arn:aws:s3:::settings/app.env';

  it('that Fargate can run and tenants share nothing with can be cloned', () => {
    expect(problems(exampleTemplate())).toEqual([]);
  });

  const unusable: readonly (readonly [string, Partial<TaskDefinition>])[] = [
    ['no network mode awsvpc', { networkMode: 'bridge' }],
    ['no cpu', { cpu: undefined }],
    ['an EC2 revision', { compatibilities: ['EC2'] }],
    ['no execution role', { executionRoleArn: undefined }],
    ['a size that Fargate does not offer', { compatibilities: undefined, cpu: '300' }],
    ['memory that Fargate does not offer for its cpu', { compatibilities: [], cpu: '256', memory: '4096' }],
    ['no memory', { memory: '' }],
    ['the ipc of its host', { compatibilities: undefined, ipcMode: 'host' }],
    ['privileges', { compatibilities: undefined, containerDefinitions: [{ ...app, privileged: true }] }],
    ['links', { compatibilities: undefined, containerDefinitions: [{ ...app, links: ['db'] }] }],
    [
      'a capability of Linux that Fargate does not have',
      {
        compatibilities: undefined,
        containerDefinitions: [{ ...app, linuxParameters: { capabilities: { add: ['NET_ADMIN', 'SYS_PTRACE'] } } }],
      },
    ],
    ['a volume on its host', { volumes: [{ name: 'data', host: { sourcePath: '/data' } }] }],
    ['a volume of Docker', { volumes: [{ name: 'data', dockerVolumeConfiguration: { scope: 'shared' } }] }],
    ['a volume that is configured at launch', { volumes: [{ name: 'data', configuredAtLaunch: true }] }],
    ['FireLens', { containerDefinitions: [app, { ...sidecar, firelensConfiguration: { type: 'fluentbit' } }] }],
    ['a credential spec', { containerDefinitions: [{ ...app, credentialSpecs: ['credentialspec:arn:x'] }] }],
  ];
  it.each(unusable)('with %s cannot be cloned, whatever the cell allows', (_, changes) => {
    const shared = { volumes: ['data'], secrets: ['API_KEY'] };
    expect(problems(exampleTemplate(changes), { shared })).toHaveLength(1);
  });

  it.each([
    ['256', '512'],
    ['256', '2048'],
    ['512', '1024'],
    ['4096', '30720'],
    ['8192', '20480'],
    ['16384', '122880'],
  ])('of %s CPU units and %s MiB is one that Fargate offers', (cpu, memory) => {
    expect(problems(exampleTemplate({ compatibilities: undefined, cpu, memory }))).toEqual([]);
  });

  it('that AWS itself registered for Fargate is judged by that', () => {
    const later = { cpu: '32768', memory: '249856', containerDefinitions: [{ ...app, dnsServers: ['10.0.0.2'] }] };
    expect(problems(exampleTemplate(later))).toEqual([]);
  });

  const sharing = [
    ['a secret', exampleTemplate(), {}, { secrets: ['API_KEY'] }],
    ['a file system', exampleTemplate({ volumes: [fileSystem] }), { secrets: ['API_KEY'] }, { volumes: ['media'] }],
    [
      'an environment file',
      withApp({ secrets: [], environmentFiles: [{ type: 's3', value: file }] }),
      {},
      { environmentFiles: [file] },
    ],
    [
      'a credential in plain text',
      withVariable('SMTP_PASSWORD', 'x'),
      { secrets: ['API_KEY'] },
      { environment: ['SMTP_PASSWORD'] },
    ],
    [
      'a URL with a password',
      withVariable('PROXY', 'http://me:pw@proxy'),
      { secrets: ['API_KEY'] },
      { environment: ['PROXY'] },
    ],
    [
      'the address of a data store',
      withVariable('CACHE', 'redis://cache:6379'),
      { secrets: ['API_KEY'] },
      { environment: ['CACHE'] },
    ],
    [
      "what the product gives to a tenant's other containers",
      withVariable('PUBLIC_URL', 'https://x'),
      { secrets: ['API_KEY'] },
      { environment: ['PUBLIC_URL'] },
    ],
    [
      "the template's own name",
      withVariable('SERVICE', 'company-x'),
      { secrets: ['API_KEY'] },
      { environment: ['SERVICE'] },
    ],
    [
      'the word that says template',
      withVariable('ENVIRONMENT', 'template'),
      { secrets: ['API_KEY'] },
      { environment: ['ENVIRONMENT'] },
    ],
  ] as const;
  it.each(sharing)(
    'that would share %s is refused unless the cell allows it by name',
    (_, template, without, named) => {
      const [problem, ...others] = problems(template, { shared: without });
      expect(others).toEqual([]);
      expect(problem).toContain(JSON.stringify(named).slice(1, -1).replace(':', ': '));
      expect(problems(template, { shared: { ...without, ...named } })).toEqual([]);
    },
  );

  const texts = [
    ['command', { command: ['serve', '--db', 'postgres://app:pw@db.internal/app'] }, 'a URL with a password in it'],
    ['command', { command: ['sh', '-c', 'wait-for redis://cache:6379 && serve'] }, 'the address of a data store'],
    ['command', { command: ['serve', '--admin-password', 'hunter2'] }, 'a credential in plain text'],
    ['entryPoint', { entryPoint: ['sh', '-c', 'API_TOKEN=abc exec serve'] }, 'a credential in plain text'],
    ['entryPoint', { entryPoint: ['serve', '--tenant=company-x'] }, "the template's own name"],
    [
      'healthCheck.command',
      { healthCheck: { command: ['CMD-SHELL', 'curl http://me:pw@localhost/'] } },
      'a URL with a password in it',
    ],
    ['dockerLabels.app.tenant', { dockerLabels: { 'app.tenant': 'company-x' } }, "the template's own name"],
    ['dockerLabels.hook.token', { dockerLabels: { 'hook.token': 'abc' } }, 'a credential in plain text'],
  ] as const;
  it.each(texts)(
    'whose %s holds what is nobody’s to share (%o) is refused unless it is allowed',
    (field, text, why) => {
      const template = withApp({ ...text, command: 'command' in text ? [...text.command] : undefined } as typeof app);
      const [problem, ...others] = problems(template);
      expect(others).toEqual([]);
      expect(problem).toContain(`${field} of container app (`);
      expect(problem).toContain(why);
      expect(problem).toContain(`{"environment": ["${field}"]}`);
      expect(problems(template, { shared: { secrets: ['API_KEY'], environment: [field] } })).toEqual([]);
    },
  );

  it('may give a container commands and labels that hold no value of anybody', () => {
    const changes = {
      entryPoint: ['sh', '-c', 'DB_PASSWORD=$SECRET exec serve --token "$TOKEN" --no-password on'],
      command: ['serve', '--password-file', '/run/it', '--token', '--port=8080'],
      healthCheck: { command: ['CMD-SHELL', 'curl -f http://localhost:8080/health || exit 1'] },
      dockerLabels: { team: 'web', 'org.opencontainers.image.source': 'https://git.example.com/team/app' },
    };
    expect(problems(withApp(changes))).toEqual([]);
  });

  it.each([
    ['web', 'https://web.example.com', true],
    ['web', 'a,web;b', true],
    ['web', 'web', true],
    ['web', 'https://webhooks.example.com', false],
    ['web', 'https://my-web.example.com', false],
    ['api', 'rapid', false],
    ['api', 'apié', false],
    ['a+b', 'x/a+b/y', true],
  ])('called %s finds its own name in %s as a word only: %s', (name, value, isFound) => {
    const { service, ...rest } = withVariable('LINK', value);
    const found = problems({ ...rest, service: { ...service, name } }).join();
    expect(found.includes("the template's own name")).toBe(isFound);
  });

  it('is refused for a variable with every reason, as its name allows it for all of them', () => {
    const [problem] = problems(withVariable('PUBLIC_URL', 'redis://me:pw@company-x'));
    expect(problem).toContain(
      "variable PUBLIC_URL of container app (which tenants have of their own; a URL with a password in it; the address of a data store; the template's own name)",
    );
    expect(problems(withVariable('URLS', 'x,postgresql+asyncpg://me:pw@db')).join()).toContain('a URL with a password');
  });

  it('may share what is nobody’s: a log level, an empty password, the length of a token’s life', () => {
    for (const [name, value] of [
      ['LOG_LEVEL', 'info'],
      ['SMTP_PASSWORD', ''],
      ['TOKEN_TTL', '60'],
    ] as const)
      expect(problems(withVariable(name, value))).toEqual([]);
  });

  it.each([
    ['task role', exampleTemplate({ taskRoleArn: 'arn:aws:iam::000000000000:role/admin' })],
    ['execution role', exampleTemplate({ executionRoleArn: 'arn:aws:iam::000000000000:role/admin' })],
    ['image', withApp({ image: 'elsewhere/app' })],
  ])('with a %s outside the cell is refused', (_, template) => {
    expect(() => refuseUnclonable(template, exampleUse())).toThrow(expect.objectContaining({ code: 'OUTSIDE_CELL' }));
  });

  it('is refused with all its reasons at once', () => {
    const template = exampleTemplate({ networkMode: 'bridge', cpu: undefined });
    expect(() => refuseUnclonable(template, exampleUse())).toThrow(/company-x.*awsvpc.*; it sets no cpu/);
  });
});
