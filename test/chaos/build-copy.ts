import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Another build of the product: its sources in a directory of their own. */
export interface BuildCopy {
  readonly directory: string;
  remove(): void;
}

/** One change of a source: `find` must be there exactly once. */
export interface SourceChange {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const parts = ['bin', 'src', 'migrations', 'package.json', 'tsconfig.json'];

/** Copies the product without the sandbox, changed. Its workflow bundle is another one, because that is named by its sources. */
export function copyBuild(changes: readonly SourceChange[]): BuildCopy {
  const directory = mkdtempSync(join(tmpdir(), 'tenantry-build-'));
  for (const part of parts) cpSync(join(checkout, part), join(directory, part), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, find, replace } of changes) {
    const path = join(directory, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(find).length !== 2) throw new Error(`${file} does not hold exactly once: ${find}`);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
