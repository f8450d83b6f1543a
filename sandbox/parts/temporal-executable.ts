import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { firstThatWorks, type Attempt } from './attempts.ts';
import { cacheDirectory, installOnce } from './cache.ts';
import { runCommand } from './child.ts';
import type { Log } from './log.ts';
import { downloadOfficially } from './official-download.ts';

/** The release that is installed when none is found: Temporal's CLI and the server inside it. */
const cli = { version: 'v1.5.1', server: '1.29.1', minimumServer: [1, 29] as const };
const key = `temporal-cli-${cli.version}`;
const title = `Temporal server ${cli.server}`;

/**
 * Path of a `temporal` executable that can run the development server: on the PATH, else from the cache, else downloaded
 * from Temporal, else built by Go (whose checksum database verifies the sources).
 */
export async function temporalExecutable(log: Log): Promise<string> {
  const cached = join(cacheDirectory(), key, 'temporal');
  const install = (expected: string, fill: (file: string) => Promise<void>) => async () => {
    const directory = await installOnce({ key, title, expected, log, install: (d) => fill(join(d, 'temporal')) });
    return join(directory, 'temporal');
  };
  const attempts: Attempt<string>[] = [
    { name: 'temporal on the PATH', run: () => acceptableOnPath(log) },
    { name: 'the cache', run: async () => (existsSync(cached) ? cached : undefined) },
    {
      name: 'official download',
      run: install('~20 s', (destination) =>
        downloadOfficially({ kind: 'dev-server', version: cli.version, destination }),
      ),
    },
    { name: 'go install', run: install('~2.5 min', buildWithGo) },
  ];
  const advice =
    `Install Temporal's CLI (server ${cli.minimumServer.join('.')} or newer) so that "temporal" is on the PATH, or Go 1.24 or newer, ` +
    'or set TEMPORAL_ADDRESS to a running server.';
  return firstThatWorks('Temporal server', attempts, advice, log);
}

async function acceptableOnPath(log: Log): Promise<string | undefined> {
  const run = (args: string[]) => runCommand({ name: 'temporal', command: 'temporal', args, timeoutMs: 20_000 });
  const version = await run(['--version']).catch(() => undefined);
  if (version === undefined) return undefined;
  const [, major, minor] = /Server (\d+)\.(\d+)/.exec(version) ?? [];
  const [wantedMajor, wantedMinor] = cli.minimumServer;
  const isNewEnough = Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor);
  if (!isNewEnough) {
    log(`temporal on the PATH is too old for Tenantry (${version.trim()}), using another`);
    return undefined;
  }
  await run(['server', 'start-dev', '--help']);
  return 'temporal';
}

async function buildWithGo(destination: string): Promise<void> {
  const bin = `${destination}.bin`;
  await mkdir(bin);
  await runCommand({
    name: 'go install',
    command: 'go',
    args: ['install', `github.com/temporalio/cli/cmd/temporal@${cli.version}`],
    env: { ...process.env, GOBIN: bin, GOFLAGS: '' },
    timeoutMs: 900_000,
  });
  await rename(join(bin, 'temporal'), destination);
  await rm(bin, { recursive: true });
}
