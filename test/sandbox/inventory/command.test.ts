import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerSandbox } from '../../../sandbox/cli.ts';
import { printInventory } from '../../../sandbox/inventory/printing.ts';
import { makePlatform, makeTargetGroup, newAccount, type Account } from '../gateway/sandbox-aws.ts';
import { useGateway } from '../gateway/shared-gateway.ts';

const shared = useGateway();
let directory: string;
let account: Account;
let env: Record<string, string>;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tenantry-inventory-'));
  account = newAccount(shared.gateway);
  await makePlatform(account);
  const platform = { version: 1, cells: [{ accountId: account.accountId, region: 'us-east-1' }] };
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(platform));
  env = { AWS_ENDPOINT_URL: shared.gateway.url, PLATFORM_CONFIG: join(directory, 'platform.json') };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function print(options: { json?: boolean; since?: string }, given = env): Promise<string> {
  let text = '';
  await printInventory({ scope: 'tenants', ...options }, given, (some) => (text += some));
  return text;
}

describe('tenantry sandbox inventory', () => {
  it('prints what there is, and what came since it was saved', async () => {
    const file = join(directory, 'before.json');
    writeFileSync(file, await print({ json: true }));
    expect(await print({})).toMatch(/^elbv2:load-balancer test-alb \(/m);
    expect(await print({ since: file })).toBe('nothing came, went or changed\n');
    await makeTargetGroup(account, 'operator-sees');
    expect(await print({ since: file })).toBe('+ elbv2:target-group operator-sees (port 8080, health /health)\n');
    expect(JSON.parse(await print({ since: file, json: true }))).toMatchObject({
      added: [{ name: 'operator-sees' }],
      removed: [],
      changed: [],
    });
  });

  it('says what is missing or wrong', async () => {
    await expect(print({}, {})).rejects.toThrow(/AWS_ENDPOINT_URL must name the gateway/);
    await expect(print({ since: env.PLATFORM_CONFIG! })).rejects.toThrow(/holds no inventory; save one with/);
  });

  it('is a command of the sandbox', () => {
    const program = new Command();
    registerSandbox(program);
    const sandbox = program.commands.find((command) => command.name() === 'sandbox');
    const help = sandbox?.commands.find((command) => command.name() === 'inventory')?.helpInformation();
    expect(help).toMatch(/--since <file>/);
  });
});
