import { existsSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstThatWorks } from './attempts.ts';
import { cacheDirectory, installOnce } from './cache.ts';
import { runCommand } from './child.ts';
import type { Log } from './log.ts';
import { downloadOfficially } from './official-download.ts';

const version = '1.38.0';
const key = `temporal-test-server-${version}`;
const title = `Temporal time-skipping test server ${version}`;
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/**
 * Path of an executable for
 * `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })`: from the cache,
 * else downloaded from Temporal, else its Java form from Maven (needs `java` and `mvn`).
 */
export async function timeSkippingExecutable({ log }: { log: Log }): Promise<string> {
  const fileName = 'temporal-test-server';
  const cached = join(cacheDirectory(), key, fileName);
  const install = (expected: string, fill: (file: string) => Promise<void>) => async () => {
    const directory = await installOnce({ key, title, expected, log, install: (d) => fill(join(d, fileName)) });
    return join(directory, fileName);
  };
  return firstThatWorks(
    'time-skipping test server',
    [
      { name: 'the cache', run: async () => (existsSync(cached) ? cached : undefined) },
      {
        name: 'official download',
        run: install('~10 s', (destination) =>
          downloadOfficially({ kind: 'time-skipping', version: `v${version}`, destination }),
        ),
      },
      { name: 'Maven', run: install('~20 s', copyJars) },
    ],
    'Give this machine a way to temporal.download, or install Java 11 or newer and Maven.',
    log,
  );
}

async function copyJars(destination: string): Promise<void> {
  await runCommand({ name: 'java -version', command: 'java', args: ['-version'], timeoutMs: 30_000 });
  const directory = join(destination, '..');
  const pom = join(directory, 'pom.xml');
  await copyFile(fileURLToPath(new URL('./temporal-test-server-pom.xml', import.meta.url)), pom);
  await runCommand({
    name: 'mvn',
    command: 'mvn',
    args: [
      ...['--batch-mode', '--no-transfer-progress', '--strict-checksums', '--file', pom, copyDependencies],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${directory}`],
    ],
    timeoutMs: 300_000,
  });
  await writeFile(destination, launcher, { mode: 0o755 });
}

// The SDK starts it and kills it, but cannot when it is itself killed: hence the watch over the parent.
const launcher = `#!/bin/sh
jars=$(dirname "$0")
parent=$PPID
self=$$
( while kill -0 "$parent" && kill -0 "$self"; do sleep 1; done; kill -9 "$self" ) </dev/null >/dev/null 2>&1 &
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" io.temporal.testserver.TestServer "$@"
`;
