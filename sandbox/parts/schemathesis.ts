import { fileURLToPath } from 'node:url';
import type { Log } from './log.ts';
import { installPythonTool, type PythonTool } from './python-environment.ts';

const schemathesis: PythonTool = {
  name: 'schemathesis',
  version: '4.32.5',
  title: 'the check of the API against its description (Schemathesis)',
  requirements: fileURLToPath(new URL('./schemathesis-requirements.txt', import.meta.url)),
  oldestMinor: 11,
  expected: '~20 s',
  otherwise: 'run schemathesis 4.32.5 with test/schema/schemathesis.toml where there is one',
};

/**
 * Path of a Python interpreter that has Schemathesis.
 *
 * @throws Error when Python is missing or too old, or the install fails.
 */
export function installSchemathesis(log: Log): Promise<string> {
  return installPythonTool(schemathesis, log);
}
