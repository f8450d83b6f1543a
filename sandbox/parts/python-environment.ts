import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache.ts';
import { runCommand } from './child.ts';
import type { Log } from './log.ts';

/** A tool written in Python, pinned with all that it needs. */
export type PythonTool = {
  /** What pip and the cache call it. */
  name: string;
  version: string;
  /** For people: `emulated AWS (MiniStack)`. */
  title: string;
  /** Path of a requirements file with hashes. */
  requirements: string;
  /** The oldest Python 3 that takes it, by its minor version; 10 when left out. */
  oldestMinor?: number;
  /** For people: `~20 s`. */
  expected: string;
  /** What to do instead where there is no Python. */
  otherwise: string;
};

/**
 * Path of a Python interpreter that has the tool, installing it into the user's cache when it is not there.
 *
 * @throws Error when Python is missing or the install fails.
 */
export async function installPythonTool(tool: PythonTool, log: Log): Promise<string> {
  const interpreter = await findPython(tool);
  // An environment works with the interpreter that made it only, and with these very requirements.
  const fingerprint = createHash('sha256')
    .update(interpreter.executable)
    .update(await readFile(tool.requirements));
  const directory = await installOnce({
    key: `${tool.name}-${tool.version}-python${interpreter.version}-${fingerprint.digest('hex').slice(0, 12)}`,
    title: `${tool.name} ${tool.version}`,
    expected: tool.expected,
    log,
    install: (staging) => makeEnvironment(tool, interpreter.executable, staging),
  });
  return join(directory, 'bin', 'python');
}

async function findPython({
  title,
  oldestMinor = 10,
  otherwise,
}: PythonTool): Promise<{ executable: string; version: string }> {
  const advice = `Install Python 3.${oldestMinor} or newer as "python3", or ${otherwise}.`;
  const script = 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';
  const printed = await runCommand({
    name: 'python3',
    command: 'python3',
    args: ['-c', script],
    timeoutMs: 30_000,
  }).catch((cause: unknown) => {
    throw new Error(`${title} needs Python, and python3 could not be run. ${advice}`, { cause });
  });
  const [version = '', executable = ''] = printed.trim().split('\n');
  if (Number(version.split('.')[1]) < oldestMinor) {
    throw new Error(`${title} needs Python 3.${oldestMinor} or newer, python3 is ${version}. ${advice}`);
  }
  return { executable, version };
}

async function makeEnvironment(tool: PythonTool, python: string, directory: string): Promise<void> {
  await runCommand({
    name: 'python3 -m venv',
    command: python,
    args: ['-m', 'venv', directory],
    timeoutMs: 120_000,
  }).catch((cause: unknown) => {
    throw new Error(`no virtual environment for ${tool.name} (Debian and Ubuntu need the package python3-venv)`, {
      cause,
    });
  });
  // The directory moves when it is complete: only `bin/python` of it is used, which finds its place by itself.
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--requirement'];
  await runCommand({
    name: `pip install ${tool.name}==${tool.version}`,
    command: join(directory, 'bin', 'python'),
    args: [...pip, tool.requirements],
    timeoutMs: 600_000,
  });
}
