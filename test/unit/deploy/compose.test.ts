import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig, loadDatabaseUrl } from '../../../src/config.ts';
import { searchAttributes } from '../../../src/contracts/ids.ts';
import { examplePlatform } from '../../support/platform.ts';
import { isRead } from '../../../scripts/deployment/known-variables.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const text = read('deploy/compose.yaml');
const condition = z.object({ condition: z.string() });
const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), condition).default({}),
  healthcheck: z.unknown().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
});
const { services } = z.object({ services: z.record(z.string(), serviceSchema) }).parse(parse(text, { merge: true }));
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
const directory = mkdtempSync(join(tmpdir(), 'tenantry-compose-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What `compose-env.sh` makes up, as compose reads it. */
function madeUp(): Record<string, string> {
  copyFileSync(new URL('deploy/compose-env.sh', root), join(directory, 'compose-env.sh'));
  execFileSync('sh', [join(directory, 'compose-env.sh')], { stdio: 'ignore' });
  const lines = readFileSync(join(directory, '.env'), 'utf8').trim().split('\n');
  const pairs = lines.map((line): [string, string] => [line.replace(/=.*$/, ''), line.replace(/^\w+=/, '')]);
  return Object.fromEntries(pairs);
}
const secrets = madeUp();

/** A service's environment, with what compose puts in, and a platform description. */
function environmentOf(name: string): Record<string, string> {
  const file = join(directory, 'platform.json');
  writeFileSync(file, JSON.stringify(examplePlatform()));
  const values = Object.entries(services[name]?.environment ?? {}).map(([key, value]): [string, string] => [
    key,
    value.replaceAll(
      /\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g,
      (_all, variable: string, or?: string) => secrets[variable] ?? or ?? '',
    ),
  ]);
  return { ...Object.fromEntries(values), ...(name !== 'migrate' && { PLATFORM_CONFIG: file }) };
}

describe('the compose file', () => {
  it('gives processes what they read, and no other variable', () => {
    for (const name of ['api', 'worker', 'migrate']) {
      const given = Object.keys(services[name]?.environment ?? {});
      expect(
        given.filter((variable) => !isRead(variable)),
        name,
      ).toEqual([]);
    }
    expect(isRead('TENANTRY_SWEEP_INTERVALL')).toBe(false);
  });

  it('is a configuration that they can use', () => {
    expect(loadConfig('api', environmentOf('api'))).toMatchObject({ apiPort: 3006, workerHealthPort: undefined });
    const worker = loadConfig('worker', environmentOf('worker'));
    expect(Object.values(worker.tenantDatabaseUrls)[0]).toContain('@tenants-db:5432/tenants');
    expect(worker.temporal.connectionOptions.address).toBe('temporal:7233');
    expect(loadDatabaseUrl(environmentOf('migrate'))).toBe(worker.databaseUrl);
    expect(new URL(worker.databaseUrl).hostname).toBe('control-db');
  });

  it("holds no secret, and the API none of AWS's or tenants' databases", () => {
    const written = [...text.matchAll(/^\s+(\w*(?:PASSWORD|SECRET_ACCESS_KEY|PAYLOAD_KEY))\w*: *(.*)$/gm)];
    expect(written.length).toBeGreaterThan(5);
    const literal = written.filter(([, , value = '']) => !/^\$\{\w+:\?/.test(value));
    // The emulator asks for any.
    expect(literal.map(([, name, value]) => `${name} ${value}`)).toEqual(['AWS_SECRET_ACCESS_KEY test']);
    expect(Object.keys(environmentOf('api')).filter((name) => /^(AWS_|TENANT_DATABASE)/.test(name))).toEqual([]);
  });

  it('asks for what compose-env.sh makes up, and only its owner can read that', () => {
    const asked = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name);
    expect(Object.keys(secrets).toSorted()).toEqual([...new Set(asked)].toSorted());
    expect(new Set(Object.values(secrets)).size).toBe(4);
    expect(statSync(join(directory, '.env')).mode & 0o777).toBe(0o600);
    expect(() => execFileSync('sh', [join(directory, 'compose-env.sh')], { stdio: 'ignore' })).toThrow();
    expect(read('.gitignore')).toMatch(/^deploy\/\.env$/m);
  });

  it('builds targets of the Dockerfile, and runs them without rights', () => {
    const stages = [...read('Dockerfile').matchAll(/ AS (\S+)$/gm)].map(([, stage]) => stage);
    for (const [name, { build, read_only: readOnly, cap_drop: dropped }] of ours)
      expect([stages.includes(build?.target), readOnly, dropped], name).toEqual([true, true, ['ALL']]);
  });

  it('starts what the sandbox was tried with', () => {
    const [, ministack] = /version: '(\S+)'/.exec(read('sandbox/parts/ministack.ts')) ?? [];
    const [, temporal] = /version: 'v(\S+)'/.exec(read('sandbox/parts/temporal-executable.ts')) ?? [];
    expect(services['aws-emulator']?.image).toBe(`docker.io/ministackorg/ministack:${ministack}`);
    expect(services.temporal?.image).toBe(`docker.io/temporalio/temporal:${temporal}`);
    const registered = services.temporal?.command?.filter((word) => word.startsWith('--search-attribute='));
    expect(registered).toEqual(searchAttributes.map((name) => `--search-attribute=${name}=Keyword`));
  });

  it('waits for what each needs, in a state that can come', () => {
    for (const [name, { depends_on: needs }] of Object.entries(services))
      for (const [other, { condition: state }] of Object.entries(needs)) {
        const found = services[other];
        expect(found, `${name} waits for ${other}`).toBeDefined();
        // MiniStack's image has a check of its own.
        if (state === 'service_healthy' && other !== 'aws-emulator') expect(found?.healthcheck, other).toBeDefined();
      }
  });
});
