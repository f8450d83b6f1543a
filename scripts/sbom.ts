/**
 * `npm run sbom [-- FILE]`: the npm packages of the images as CycloneDX (by default `dist/sbom.cdx.json`), from the lockfile, held against CycloneDX's
 * schema. The same lockfile gives the same file. Packages with builds for several systems are listed with all of them; an image has its own alone.
 * `npm sbom` is not used: where a lockfile holds no addresses it leaves most packages out.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../sandbox/parts/cache.ts';
import { runCommand } from '../sandbox/parts/child.ts';
import { messageOf } from '../sandbox/parts/log.ts';

const tool = '@cyclonedx/cyclonedx-npm';
const version = '6.0.1';
const root = fileURLToPath(new URL('..', import.meta.url));
const log = (line: string) => console.error(`[sbom] ${line}`);

/** Where the program is, installing it into the user's cache when it is not there. */
async function installTool(): Promise<string> {
  const directory = await installOnce({
    key: `cyclonedx-npm-${version}`,
    title: `cyclonedx-npm ${version}`,
    expected: '~20 s',
    log,
    install: async (into) => {
      await runCommand({
        name: `npm install ${tool}@${version}`,
        command: 'npm',
        args: ['install', '--prefix', into, '--ignore-scripts', '--no-audit', '--no-fund', `${tool}@${version}`],
        timeoutMs: 180_000,
      });
    },
  });
  return join(directory, 'node_modules', tool, 'bin', 'cyclonedx-npm-cli.js');
}

try {
  const file = resolve(process.argv[2] ?? join(root, 'dist', 'sbom.cdx.json'));
  const program = await installTool();
  mkdirSync(dirname(file), { recursive: true });
  const omit = ['dev', 'peer'].flatMap((type) => ['--omit', type]);
  const output = ['--output-reproducible', '--validate', '--output-file', file];
  await runCommand({
    name: 'cyclonedx-npm',
    command: process.execPath,
    args: [program, '--package-lock-only', ...omit, '--spec-version', '1.6', ...output, join(root, 'package.json')],
    timeoutMs: 120_000,
  });
  console.log(file);
} catch (error) {
  log(messageOf(error));
  process.exitCode = 1;
}
