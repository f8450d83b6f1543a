import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './child.ts';

export type OfficialDownload = {
  kind: 'dev-server' | 'time-skipping';
  /** A release's tag, `v1.5.1`. */
  version: string;
  /** Where the executable goes, as a file in an existing directory. */
  destination: string;
};

/** Gets a Temporal server from Temporal's own download site, as the SDK's test environment does. */
export async function downloadOfficially({ kind, version, destination }: OfficialDownload): Promise<void> {
  const directory = `${destination}.download`;
  await mkdir(directory);
  try {
    const script = fileURLToPath(new URL('./official-download.mjs', import.meta.url));
    await runCommand({
      name: "the SDK's download",
      command: process.execPath,
      args: [script, kind, version, directory],
      timeoutMs: 180_000,
    });
    const [file] = await readdir(directory);
    if (file === undefined) throw new Error(`the SDK's download of ${kind} ${version} left no file`);
    await chmod(join(directory, file), 0o755);
    await rename(join(directory, file), destination);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
