import { fileURLToPath } from 'node:url';
import type { Log } from './log.ts';
import { installPythonTool, type PythonTool } from './python-environment.ts';

const cfnLint: PythonTool = {
  name: 'cfn-lint',
  version: '1.58.0',
  title: 'the check of templates (cfn-lint)',
  requirements: fileURLToPath(new URL('./cfn-lint-requirements.txt', import.meta.url)),
  expected: '~30 s',
  otherwise: 'run cfn-lint 1.58.0 on templates/ where there is one',
};

/**
 * Path of a Python interpreter that has cfn-lint.
 *
 * @throws Error when Python is missing or the install fails.
 */
export function installCfnLint(log: Log): Promise<string> {
  return installPythonTool(cfnLint, log);
}
