#!/usr/bin/env node
// `node scripts/check-terraform.mjs [FOLDER...]`: format, `terraform validate` and `terraform test` of each folder in terraform/ (or of those that are
// named), in a copy, so that nothing is left in the checkout; every output `platform` that a test run ends with is read as API and workers read
// PLATFORM_CONFIG, and so is the environment that task definitions beside it give them; IAM policies are read by parliament. Needs Terraform >= 1.9, and the provider: from its registry, or, where that cannot be reached, from a folder
// `terraform-schema` in `shared/` beside the checkout, whose `install` prints a Terraform configuration that has it. No resource is made.
// Exit code 1 when something is wrong, 75 when it could not be looked at.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SKIPPED = 75;
const root = fileURLToPath(new URL('..', import.meta.url));
const schema = join(root, '..', 'shared', 'terraform-schema', 'install');
const copy = mkdtempSync(join(tmpdir(), 'tenantry-terraform-'));
let env = { ...process.env, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
/** Outputs `platform` and what task definitions say, by the test run that they came from. */
const ends = {};
/** IAM policies, in the same manner. */
const policies = {};

try {
  process.exitCode = check(process.argv.slice(2));
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function check(named) {
  if (spawnSync('terraform', ['version'], { env }).status !== 0) return skip('there is no terraform on the PATH');
  for (const folder of ['terraform', 'templates']) cpSync(join(root, folder), join(copy, folder), { recursive: true });
  if (!terraform('terraform', 'fmt', '-check', '-diff', '-recursive')) return 1;
  for (const module of named.length > 0 ? named : modulesBelow('terraform')) {
    if (!initialized(module)) return skip('the provider can be had neither from the registry nor beside the checkout');
    if (!terraform(module, 'validate') || !tested(module)) return 1;
  }
  return readAsConfiguration(named.length > 0) && policiesHold() ? 0 : 1;
}

/** Folders with Terraform's files. */
function modulesBelow(folder) {
  const entries = readdirSync(join(copy, folder), { withFileTypes: true });
  const here = entries.some((entry) => entry.isFile() && entry.name.endsWith('.tf')) ? [folder] : [];
  return [
    ...here,
    ...entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => modulesBelow(join(folder, name))),
  ];
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

/** `terraform test`, and the platforms that its runs end with. A folder without tests has not been checked. */
function tested(folder) {
  console.log(`\n> terraform test (${folder})`);
  const { status, stdout } = spawnSync('terraform', ['test', '-json', '-verbose'], {
    ...{ cwd: join(copy, folder), env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    maxBuffer: 1 << 28,
  });
  const messages = stdout.split('\n').filter(Boolean).map(parsed);
  for (const message of messages) note(folder, message);
  const passed = messages.find(({ type }) => type === 'test_summary')?.test_summary?.passed ?? 0;
  if (passed === 0) console.log(`no test of ${folder} passed`);
  return status === 0 && passed > 0;
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { '@message': line };
  }
}

function note(folder, { type, '@message': text, '@testrun': run, diagnostic, test_state: state }) {
  const isEnd = type !== 'test_run' || text.endsWith(' pass') || text.endsWith(' fail');
  if (['test_run', 'test_summary', undefined].includes(type) && isEnd) console.log(text.trim());
  if (diagnostic) {
    const { filename = '', start } = diagnostic.range ?? {};
    console.log(
      `${diagnostic.severity}: ${diagnostic.summary} (${filename}:${start?.line ?? ''})\n${diagnostic.detail}`,
    );
  }
  const output = state?.outputs?.platform;
  if (state) policies[`${folder}, ${run}`] = policiesOf(state.root_module);
  if (output) ends[`${folder}, ${run}`] = { platform: output.value, tasks: tasksOf(state.root_module) };
}

/** Container definitions of the processes, with what they write for them before. */
function tasksOf({ resources = [], child_modules: modules = [] }) {
  const own = resources.filter(({ type, name }) => type === 'aws_ecs_task_definition' && name === 'this');
  return [...own.map(({ values }) => JSON.parse(values.container_definitions)), ...modules.flatMap(tasksOf)];
}

/** What is allowed by policies of its own and by those in roles; what is not known before an apply is left out. */
function policiesOf({ resources = [], child_modules: modules = [] }) {
  const own = resources.filter(({ type }) => type === 'aws_iam_policy' || type === 'aws_iam_role_policy');
  const known = own.filter(({ values }) => typeof values.policy === 'string');
  return [...known.map(({ address, values }) => ({ address, policy: values.policy })), ...modules.flatMap(policiesOf)];
}

/** By parliament, which knows each service's actions, resources and conditions. */
function policiesHold() {
  console.log('\n> policies');
  const file = join(copy, 'policies.json');
  writeFileSync(file, JSON.stringify(policies));
  return ran('lint-policies.ts', file);
}

/** What the processes are told is what they can use. */
function readAsConfiguration(mayBeNone) {
  const names = Object.keys(ends);
  if (names.length === 0) {
    console.log('no test run ended with an output "platform"');
    return mayBeNone;
  }
  console.log(`\n> configuration of ${names.length} outputs`);
  const file = join(copy, 'ends.json');
  writeFileSync(file, JSON.stringify(ends));
  return ran('read-terraform-ends.ts', file);
}

function ran(script, file) {
  const args = ['--import', 'tsx', join(root, 'scripts', script), file];
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

function skip(why) {
  console.log(`Terraform was not checked: ${why}`);
  return SKIPPED;
}
