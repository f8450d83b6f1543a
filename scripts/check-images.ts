/**
 * `npm run lint:images`: the Dockerfile by hadolint, deploy/compose.yaml by the Compose specification's schema, the Helm chart by Helm, Kubernetes' schema and what
 * the processes read (scripts/deployment), the packages' bill of materials by CycloneDX's schema. What these need is installed into the user's cache the first
 * time. Exit code 1 when something is wrong, 75 when nothing could be looked at; what alone could not is named.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHelm, installLinters } from '../sandbox/parts/deployment-lint.ts';
import { messageOf } from '../sandbox/parts/log.ts';
import { chartProblems, run } from './deployment/chart.ts';

const SKIPPED = 75;
const root = fileURLToPath(new URL('..', import.meta.url));
const log = (line: string) => console.error(`[images] ${line}`);
const directory = mkdtempSync(join(tmpdir(), 'tenantry-images-'));

type Tools = Readonly<Record<'python' | 'hadolint' | 'helm', string>>;

interface Check {
  readonly needs: readonly (keyof Tools)[];
  readonly problems: (tools: Tools) => readonly string[];
}

const checks: Readonly<Record<string, Check>> = {
  Dockerfile: {
    needs: ['hadolint'],
    problems: ({ hadolint }) => failure(hadolint, ['--failure-threshold', 'style', join(root, 'Dockerfile')]),
  },
  'deploy/compose.yaml': {
    needs: ['python'],
    problems: ({ python }) =>
      failure(python, [
        '-m',
        'check_jsonschema',
        '--builtin-schema',
        'vendor.compose-spec',
        join(root, 'deploy', 'compose.yaml'),
      ]),
  },
  'deploy/helm/tenantry': {
    needs: ['python', 'helm'],
    problems: ({ helm, python }) =>
      chartProblems({ helm, python, chart: join(root, 'deploy', 'helm', 'tenantry'), directory }),
  },
  'bill of materials': {
    needs: [],
    problems: () =>
      failure(process.execPath, ['--import', 'tsx', join(root, 'scripts', 'sbom.ts'), join(directory, 'sbom.json')]),
  },
};

try {
  const { tools, lacking } = await install();
  const outcomes = Object.entries(checks).map(([name, check]) => outcomeOf(name, check, tools, lacking));
  if (outcomes.includes('failed')) process.exitCode = 1;
  else if (!outcomes.includes('passed')) process.exitCode = SKIPPED;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function outcomeOf(name: string, { needs, problems }: Check, tools: Partial<Tools>, lacking: Lacking): string {
  const missing = needs.find((tool) => tools[tool] === undefined);
  if (missing !== undefined) {
    console.log(`${name}: SKIPPED: ${missing} cannot be had (${lacking[missing] ?? ''})`);
    return 'skipped';
  }
  const { python = '', hadolint = '', helm = '' } = tools;
  const found = problems({ python, hadolint, helm });
  console.log(`${name}: ${found.length === 0 ? 'checked, nothing found' : `\n  ${found.join('\n  ')}`}`);
  return found.length === 0 ? 'passed' : 'failed';
}

type Lacking = Partial<Record<keyof Tools, string>>;

/** All of it at once; what cannot be had, and why. */
async function install(): Promise<{ tools: Partial<Tools>; lacking: Lacking }> {
  const [linters, helm] = await Promise.allSettled([installLinters(log), installHelm(log)]);
  const why = (outcome: PromiseSettledResult<unknown>) =>
    outcome.status === 'rejected' ? messageOf(outcome.reason).split('\n')[0] : undefined;
  return {
    tools: {
      ...(linters.status === 'fulfilled' && linters.value),
      ...(helm.status === 'fulfilled' && { helm: helm.value }),
    },
    lacking: { python: why(linters), hadolint: why(linters), helm: why(helm) },
  };
}

function failure(program: string, args: readonly string[]): readonly string[] {
  const { isDone, printed } = run(program, args);
  return isDone ? [] : [printed];
}
