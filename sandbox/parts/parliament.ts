import { fileURLToPath } from 'node:url';
import type { Log } from './log.ts';
import { installPythonTool, type PythonTool } from './python-environment.ts';

const parliament: PythonTool = {
  name: 'parliament',
  version: '1.6.4',
  title: 'the check of IAM policies (parliament)',
  requirements: fileURLToPath(new URL('./parliament-requirements.txt', import.meta.url)),
  expected: '~30 s',
  otherwise: 'run parliament 1.6.4 on the policies where there is one',
};

/**
 * Path of a Python interpreter that has parliament.
 *
 * @throws Error when Python is missing or the install fails.
 */
export function installParliament(log: Log): Promise<string> {
  return installPythonTool(parliament, log);
}
