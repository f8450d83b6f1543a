import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../src/cli/api-client.ts';
import { ConfigError, loadApiUrl, loadConfig } from '../../src/config.ts';
import { parsePlatform } from '../../src/platform.ts';
import { examplePlatform } from '../support/platform.ts';

const directory = mkdtempSync(join(tmpdir(), 'tenantry-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const good = {
  DATABASE_URL: 'postgres://u@localhost/tenantry',
  TEMPORAL_ADDRESS: 'localhost:7233',
  PLATFORM_CONFIG: file('platform.json', examplePlatform()),
  TENANTRY_PAYLOAD_KEY: Buffer.alloc(32, 1).toString('base64'),
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig('worker', env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('reads how often to sweep', () => {
    const interval = (text?: string) =>
      loadConfig('worker', { ...good, TENANTRY_SWEEP_INTERVAL: text }).sweepIntervalMs;
    expect([interval(), interval('30m'), interval('2h'), interval('1d'), interval('off')]).toEqual([
      3_600_000,
      1_800_000,
      7_200_000,
      86_400_000,
      undefined,
    ]);
    for (const bad of ['0h', '1', 'often', '1s'])
      expect(problemsOf({ ...good, TENANTRY_SWEEP_INTERVAL: bad }).join()).toContain(
        'TENANTRY_SWEEP_INTERVAL must be off',
      );
  });

  it('reads how long a deletion waits', () => {
    const grace = (text?: string) => loadConfig('api', { ...good, TENANTRY_DELETION_GRACE: text }).deletionGraceMs;
    expect([grace(), grace('0'), grace('90s'), grace('12h'), grace('90d')]).toEqual([
      604_800_000, 0, 90_000, 43_200_000, 7_776_000_000,
    ]);
    for (const bad of ['91d', '7', 'P7D', '-1d', '1.5h', 'soon'])
      expect(problemsOf({ ...good, TENANTRY_DELETION_GRACE: bad }).join()).toContain(
        'TENANTRY_DELETION_GRACE must be 0',
      );
  });

  it('reads whether accounts are provisioned, which they are not unless it says so', () => {
    const switchedOff = (text?: string) =>
      loadConfig('api', { ...good, TENANTRY_ENABLE_ACCOUNT_PROVISIONING: text }).switchedOff;
    const off = { accounts: 'TENANTRY_ENABLE_ACCOUNT_PROVISIONING' };
    expect([switchedOff(), switchedOff('false'), switchedOff('true')]).toEqual([off, off, {}]);
    for (const bad of ['yes', '1', 'TRUE'])
      expect(problemsOf({ ...good, TENANTRY_ENABLE_ACCOUNT_PROVISIONING: bad })).toEqual([
        'TENANTRY_ENABLE_ACCOUNT_PROVISIONING must be true or false',
      ]);
  });

  it('reads whether webhooks may lead to this host, which they may not unless it says so', () => {
    const allowed = (text?: string) =>
      loadConfig('worker', { ...good, TENANTRY_WEBHOOK_ALLOW_LOOPBACK: text }).webhookAllowLoopback;
    expect([allowed(), allowed('false'), allowed('true')]).toEqual([false, false, true]);
    for (const bad of ['yes', '1', 'TRUE'])
      expect(problemsOf({ ...good, TENANTRY_WEBHOOK_ALLOW_LOOPBACK: bad })).toEqual([
        'TENANTRY_WEBHOOK_ALLOW_LOOPBACK must be true or false',
      ]);
  });

  it('reads how often to look at active tenants', () => {
    const interval = (text?: string) => loadConfig('worker', { ...good, TENANTRY_HEALTH_EVERY: text }).healthEveryMs;
    expect([interval(), interval('30s'), interval('1h'), interval('off')]).toEqual([
      60_000,
      30_000,
      3_600_000,
      undefined,
    ]);
    for (const bad of ['0m', '1', '1d'])
      expect(problemsOf({ ...good, TENANTRY_HEALTH_EVERY: bad }).join()).toContain('TENANTRY_HEALTH_EVERY must be off');
  });

  it('reads a good environment, with defaults', () => {
    const config = loadConfig('worker', good);
    expect(config).toMatchObject({ apiHost: '127.0.0.1', apiPort: 3006, logLevel: 'info', awsEndpointUrl: undefined });
    expect(config.temporal.connectionOptions.address).toBe('localhost:7233');
    expect(config.tenantDatabaseUrls).toEqual({ primary: good.DATABASE_URL });
  });
  it('reports all problems together', () => {
    const problems = problemsOf({ TENANTRY_API_PORT: 'x', LOG_LEVEL: 'loud', AWS_ENDPOINT_URL: 'localhost' }).join(
      '\n',
    );
    for (const name of [
      'DATABASE_URL',
      'PLATFORM_CONFIG',
      'TENANTRY_PAYLOAD_KEY',
      'TENANTRY_API_PORT',
      'LOG_LEVEL',
      'AWS_ENDPOINT_URL',
    ]) {
      expect(problems).toContain(name);
    }
  });
  it('takes an empty variable as unset', () => {
    expect(problemsOf({ ...good, DATABASE_URL: '' }).join()).toContain('DATABASE_URL is not set');
  });
  it('refuses a payload key of another length', () => {
    expect(problemsOf({ ...good, TENANTRY_PAYLOAD_KEY: 'c2hvcnQ=' }).join()).toContain('32 bytes');
  });
  it('names what is wrong in the platform file by its path', () => {
    const cells = examplePlatform().cells.map((c) => ({ ...c, accountId: '12', region: undefined, surprise: 1 }));
    const problems = problemsOf({ ...good, PLATFORM_CONFIG: file('bad.json', { version: 1, cells }) }).join('\n');
    expect(problems).toContain('cells.0.accountId');
    expect(problems).toContain('cells.0.region');
    expect(problems).toContain('surprise');
  });
  it.each(['Z1', '/hostedzone/Z1', 'hostedzone/Z1'])("takes the hosted zone's id as AWS answers it, too: %s", (id) => {
    const [cell] = examplePlatform().cells;
    const hostedZone = { ...cell!.hostedZone, id };
    expect(parsePlatform(examplePlatform({ hostedZone })).cells[0]?.hostedZone.id).toBe('Z1');
    expect(() => parsePlatform(examplePlatform({ hostedZone: { ...hostedZone, id: '/hostedzone/' } }))).toThrow(
      'cells.0.hostedZone.id',
    );
  });
  it('takes SSM parameters by their whole names', () => {
    const ssmParameters = { '/platform/items': 'items' };
    expect(parsePlatform(examplePlatform({ ssmParameters })).cells[0]?.ssmParameters).toEqual(ssmParameters);
    for (const [name, value] of [
      ['platform', 'x'],
      ['/platform/', 'x'],
      ['/platform/x', ''],
    ] as const)
      expect(() => parsePlatform(examplePlatform({ ssmParameters: { [name]: value } }))).toThrow(
        'cells.0.ssmParameters',
      );
  });
  it('refuses the table of the projection as one that tenants share, and a name that is none of a table', () => {
    const projection = { table: 'tenants' };
    expect(parsePlatform(examplePlatform({ projection, sharedTables: ['items'] })).cells[0]?.sharedTables).toEqual([
      'items',
    ]);
    for (const sharedTables of [['items', 'tenants'], ['a b']])
      expect(() => parsePlatform(examplePlatform({ projection, sharedTables }))).toThrow('cells.0.sharedTables');
  });
  it('says so when the platform file is missing or no JSON', () => {
    expect(problemsOf({ ...good, PLATFORM_CONFIG: join(directory, 'none.json') }).join()).toContain('ENOENT');
    expect(problemsOf({ ...good, PLATFORM_CONFIG: file('text.json', 'hello') }).join()).toMatch(/JSON/);
  });
  it('asks for a URL per tenant database when there are several', () => {
    const databases = ['primary', 'second-one'].map((id) => ({ id, host: 'h', port: 5432, name: 'n' }));
    const env = { ...good, PLATFORM_CONFIG: file('two.json', examplePlatform({ tenantDatabases: databases })) };
    expect(problemsOf(env).join()).toContain('TENANT_DATABASE_URL_SECOND_ONE');
    const bad = problemsOf({
      ...env,
      TENANT_DATABASE_URL_PRIMARY: 'mysql://h/n',
      TENANT_DATABASE_URL_SECOND_ONE: '',
    });
    expect(bad).toEqual([
      'TENANT_DATABASE_URL_PRIMARY must be a postgres:// URL',
      'TENANT_DATABASE_URL_SECOND_ONE is not set: the platform has 2 tenant databases',
    ]);
  });
});

describe('TENANTRY_API_URL', () => {
  it.each(['http://u:secret@127.0.0.1:3006', 'http://127.0.0.1:3006/?a=1', 'http://127.0.0.1:3006/#a'])(
    '%s is refused without repeating it: paths are added to it, and fetch takes no password in a URL',
    (url) => {
      const load = () => loadApiUrl({ TENANTRY_API_URL: url });
      expect(load).toThrow('TENANTRY_API_URL must have no user name, password, query or fragment');
      expect(load).not.toThrow('secret');
    },
  );

  it('with a port that fetch blocks is named in the error, with the port', async () => {
    const asked = createApiClient('http://127.0.0.1:1').status('3f0e7f0a-5f0a-4f0e-8f0a-5f0a4f0e8f0a');
    await expect(asked).rejects.toThrow('TENANTRY_API_URL names port 1, to which HTTP clients refuse to connect');
    await expect(asked).rejects.toBeInstanceOf(ConfigError);
  });
});
