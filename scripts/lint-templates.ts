/**
 * `tsx scripts/lint-templates.ts [FILE...]`: checks CloudFormation templates (those of `templates/` by default) by cfn-lint, which is
 * installed into the user's cache the first time. Exit code 1 when it finds something, warnings too, or cannot be had.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installCfnLint } from '../sandbox/parts/cfn-lint.ts';
import { messageOf } from '../sandbox/parts/log.ts';

const log = (line: string) => console.error(`[templates] ${line}`);
const root = fileURLToPath(new URL('../templates/', import.meta.url));
// Its command is a script that names the interpreter by a path; the install has moved since.
const run = 'import sys; from cfnlint.runner import main; sys.exit(main())';
const named = process.argv.slice(2);
const templates = named.length > 0 ? named : templatesIn(root);

try {
  const python = await installCfnLint(log);
  const { error, status } = spawnSync(python, ['-c', run, '--', ...templates], { stdio: 'inherit' });
  if (error) throw error;
  if (status === 0) log(`${templates.length} checked, nothing found`);
  else process.exitCode = 1;
} catch (error) {
  log(`the templates were not checked: ${messageOf(error)}`);
  process.exitCode = 1;
}

function templatesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .map((file) => `${folder}${file}`);
}
