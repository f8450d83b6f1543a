import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { taskQueues } from '../../src/contracts/ids.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const found = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))];

// `sign-in-config.ts` is the command line's.
const settings = readdirSync(join(root, 'src'))
  .filter((file) => file.endsWith('config.ts') && file !== 'sign-in-config.ts')
  .map((file) => read(`src/${file}`))
  .join('\n');
const terraform = ['environment.tf', 'secrets.tf'].map((file) => read(`terraform/control-plane/${file}`)).join('\n');

/** Of the command line, and what is for one machine only: no process in AWS has them. */
const elsewhere = ['TENANTRY_API_TOKEN', 'TENANTRY_API_URL', 'TENANTRY_WEBHOOK_ALLOW_LOOPBACK'];

describe('the environment that Terraform gives API and workers', () => {
  it('has every variable that they read, and no other', () => {
    const readByCode = found(
      settings,
      /\b(TENANTRY_[A-Z_]+|TENANT_DATABASE_URL|DATABASE_URL|PLATFORM_CONFIG|LOG_LEVEL)\b/g,
    );
    const given = found(
      terraform,
      /^\s+(TENANTRY_[A-Z_]+|TENANT_DATABASE_URL|DATABASE_URL|PLATFORM_CONFIG|LOG_LEVEL) *=/gm,
    );
    given.push(...found(terraform, /\{ (TENANT_DATABASE_URL) = /g));
    expect(given.toSorted(), 'terraform/control-plane/environment.tf').toEqual(
      readByCode.filter((name) => !elsewhere.includes(name)).toSorted(),
    );
  });

  it('names the task queues of the code', () => {
    const [list = ''] = found(read('terraform/control-plane/main.tf'), /task_queues = \[(.*)\]/g);
    expect(found(list, /"([^"]+)"/g).toSorted(), 'terraform/control-plane/main.tf').toEqual(
      [...new Set(Object.values(taskQueues))].toSorted(),
    );
  });

  it('counts every alert that the code raises, and no other', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const raised = sources.flatMap((file) => found(read(join('src', file)), /\balert: '([a-z-]+)'/g));
    const [list = ''] = found(read('terraform/control-plane/alarms.tf'), /\balerts = \[([^\]]*)\]/g);
    expect(found(list, /"([^"]+)"/g).toSorted(), 'terraform/control-plane/alarms.tf').toEqual(
      [...new Set(raised)].toSorted(),
    );
  });
});
