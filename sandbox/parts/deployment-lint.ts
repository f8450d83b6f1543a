import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from './cache.ts';
import { runCommand } from './child.ts';
import type { Log } from './log.ts';
import { installPythonTool, type PythonTool } from './python-environment.ts';

const linters: PythonTool = {
  name: 'deployment-lint',
  version: '1',
  title: 'checks of images and manifests (hadolint, check-jsonschema, kubernetes-validate)',
  requirements: fileURLToPath(new URL('./deployment-lint-requirements.txt', import.meta.url)),
  oldestMinor: 11,
  expected: '~20 s',
  otherwise: 'look at the result of CI',
};
const helm = '3.22.0';

/**
 * A Python interpreter that has `check_jsonschema` and `kubernetes_validate` as modules, and the program hadolint.
 *
 * @throws Error when Python is missing or the install fails.
 */
export async function installLinters(log: Log): Promise<{ readonly python: string; readonly hadolint: string }> {
  const python = await installPythonTool(linters, log);
  return { python, hadolint: join(dirname(python), 'hadolint') };
}

/**
 * Path of Helm, built by Go, whose checksum database verifies the sources.
 *
 * @throws Error when Go is missing or the build fails.
 */
export async function installHelm(log: Log): Promise<string> {
  const directory = await installOnce({
    key: `helm-v${helm}`,
    title: `Helm ${helm}`,
    expected: '~1.5 min',
    log,
    install: async (into) => {
      await runCommand({
        name: 'go install helm (needs Go 1.26 or newer)',
        command: 'go',
        args: ['install', `helm.sh/helm/v3/cmd/helm@v${helm}`],
        env: { ...process.env, GOBIN: into, GOFLAGS: '' },
        timeoutMs: 600_000,
      });
    },
  });
  return join(directory, 'helm');
}
