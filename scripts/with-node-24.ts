/**
 * `npx tsx scripts/with-node-24.ts COMMAND...` runs a command under Node 24, which stands first on its PATH: CI runs under the
 * oldest Node that is supported, and once under the one that is recommended. It comes from npm, pinned, into the user's cache.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installOnce } from '../sandbox/parts/cache.ts';
import { runCommand } from '../sandbox/parts/child.ts';
import type { Log } from '../sandbox/parts/log.ts';

const version = '24.22.3';
/** Builds that npm has for it: the integrity of the package `node-<platform>`. */
const builds: Readonly<Record<string, string>> = {
  'linux-x64': 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
};

export const log: Log = (line) => console.error(`Node 24: ${line}`);

/** The directory of the program `node`; undefined, and said, when this platform has no build. */
export async function node24Directory(
  platform = `${process.platform}-${process.arch}`,
  tell: Log = log,
): Promise<string | undefined> {
  const integrity = builds[platform];
  if (integrity === undefined) {
    tell(`skipped: npm has no pinned build for ${platform}; the command runs under ${process.version}`);
    return undefined;
  }
  const name = `node-${platform}`;
  const directory = await installOnce({
    key: `${name}-${version}`,
    title: `Node ${version}`,
    expected: '~10 s',
    log: tell,
    install: (into) => installPinned({ name, integrity, into }),
  });
  return join(directory, 'node_modules', name, 'bin');
}

async function installPinned({ name, integrity, into }: { name: string; integrity: string; into: string }) {
  const wanted = `${name}@${version}`;
  await runCommand({
    name: `npm install ${wanted}`,
    command: 'npm',
    args: ['install', '--prefix', into, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', wanted],
    timeoutMs: 180_000,
  });
  const installed: unknown = JSON.parse(await readFile(join(into, 'node_modules', '.package-lock.json'), 'utf8'));
  const found = (installed as { packages?: Record<string, { integrity?: string }> }).packages?.[`node_modules/${name}`];
  if (found?.integrity !== integrity)
    throw new Error(`npm package ${wanted} has the integrity ${found?.integrity}, not the pinned ${integrity}`);
}

async function run([command = '', ...args]: readonly string[]): Promise<number> {
  const directory = await node24Directory();
  const path = [...(directory === undefined ? [] : [directory]), process.env['PATH']].join(delimiter);
  if (directory !== undefined) log(`${version} runs ${[command, ...args].join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await run(process.argv.slice(2));
