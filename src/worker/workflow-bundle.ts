import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = ['src/workflows', 'src/contracts', 'src/temporal/failure-converter.cjs'];
const failureConverterPath = join(root, 'src/temporal/failure-converter.cjs');

/**
 * Path of the prebuilt workflow bundle of exactly these sources, built when it is not there yet (about 3 s). The name
 * holds a hash of workflows, contracts and SDK version, so a stale bundle is never run.
 */
export async function workflowBundlePath(): Promise<string> {
  const path = join(root, 'dist', `workflows-${sourceHash()}.js`);
  if (existsSync(path)) return path;
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'src/workflows/index.ts'),
    workflowInterceptorModules: [join(root, 'src/workflows/interceptors.ts')],
    failureConverterPath,
    logger: new DefaultLogger('WARN'),
  });
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, code);
  renameSync(unfinished, path); // two processes that build at once end with the same whole file
  return path;
}

function sourceHash(): string {
  const hash = createHash('sha256').update(sdkVersion());
  for (const source of sources)
    for (const file of filesBelow(join(root, source))) hash.update(file.slice(root.length)).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function filesBelow(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sdkVersion(): string {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  return version;
}
