#!/usr/bin/env node
// `node scripts/check-terraform.mjs`: format, `terraform validate` and `terraform test` of each folder in terraform/, in a copy, so that nothing is
// left in the checkout. Needs Terraform >= 1.7, and the provider: from its registry, or, where that cannot be reached, from a folder
// `terraform-schema` in `shared/` beside the checkout, whose `install` prints a Terraform configuration that has it. No resource is made.
// Exit code 1 when something is wrong, 75 when it could not be looked at.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SKIPPED = 75;
const root = fileURLToPath(new URL('..', import.meta.url));
const schema = join(root, '..', 'shared', 'terraform-schema', 'install');
const copy = mkdtempSync(join(tmpdir(), 'tenantry-terraform-'));
let env = { ...process.env, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };

try {
  process.exitCode = check();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function check() {
  if (spawnSync('terraform', ['version'], { env }).status !== 0) return skip('there is no terraform on the PATH');
  for (const folder of ['terraform', 'templates']) cpSync(join(root, folder), join(copy, folder), { recursive: true });
  if (!terraform('terraform', 'fmt', '-check', '-diff', '-recursive')) return 1;
  const modules = readdirSync(join(copy, 'terraform')).map((name) => join('terraform', name));
  for (const module of modules) {
    if (!initialized(module)) return skip('the provider can be had neither from the registry nor beside the checkout');
    if (!terraform(module, 'validate') || !terraform(module, 'test')) return 1;
  }
  return 0;
}

function initialized(module) {
  if (initialize(module)) return true;
  if (!existsSync(schema)) return false;
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'terraform-schema');
  const installed = spawnSync(schema, [cache], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (installed.status !== 0) return false;
  console.log('the registry cannot be reached: checked against the schema beside the checkout');
  env = { ...env, TF_CLI_CONFIG_FILE: installed.stdout.trim() };
  return initialize(module);
}

function initialize(module) {
  const { status } = spawnSync('terraform', ['init', '-input=false', '-backend=false'], {
    cwd: join(copy, module),
    env,
  });
  return status === 0;
}

function terraform(folder, ...args) {
  console.log(`\n> terraform ${args.join(' ')} (${folder})`);
  return (
    spawnSync('terraform', [...args, '-no-color'], { cwd: join(copy, folder), env, stdio: 'inherit' }).status === 0
  );
}

function skip(why) {
  console.log(`Terraform was not checked: ${why}`);
  return SKIPPED;
}
