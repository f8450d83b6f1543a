import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { exampleCell } from '../../testing/example-cell.ts';
import { readManifests } from './manifests.ts';
import { refusals } from './refusals.ts';
import { workloadProblems, type Expected } from './workload-problems.ts';

/** Of what the manifests are for; Helm that was built by Go takes itself to be of a much older one. */
export const KUBERNETES = '1.37.0';

export interface ChartCheck {
  readonly helm: string;
  readonly python: string;
  readonly chart: string;
  /** For what is rendered. */
  readonly directory: string;
}

/** What is wrong with the chart under each of its values files, and which values it takes that it should not. */
export function chartProblems(check: ChartCheck): string[] {
  const values = readdirSync(join(check.chart, 'ci')).filter((file) => file.endsWith('.yaml'));
  const platformFile = join(check.directory, 'platform.json');
  writeFileSync(platformFile, JSON.stringify({ version: 1, cells: [exampleCell()] }));
  const rendered = values.map((file) => renderedBy(check, file, platformFile));
  const files = rendered.flatMap(({ file }) => (file === undefined ? [] : [file]));
  return [...rendered.flatMap(({ problems }) => problems), ...schemaProblems(check, files), ...refusalProblems(check)];
}

const valuesSchema = z.object({
  existingSecret: z.string(),
  canary: z.object({ existingSecret: z.string() }).optional(),
});

function renderedBy(check: ChartCheck, file: string, platformFile: string): { file?: string; problems: string[] } {
  const path = join(check.chart, 'ci', file);
  const lint = run(check.helm, ['lint', check.chart, '--strict', '--kube-version', KUBERNETES, '--values', path]);
  if (!lint.isDone) return { problems: [`helm lint, ${file}: ${lint.printed}`] };
  const { isDone, printed } = template(check, ['--values', path]);
  if (!isDone) return { problems: [`helm template, ${file}: ${printed}`] };
  const out = join(check.directory, file);
  writeFileSync(out, printed);
  const { existingSecret, canary } = valuesSchema.parse(parse(readFileSync(path, 'utf8')));
  return {
    file: out,
    problems: problemsIn(printed, {
      secrets: [existingSecret, ...(canary ? [canary.existingSecret] : [])],
      platformFile,
    }).map((one) => `${file}: ${one}`),
  };
}

/** Beyond what Kubernetes' schema says. */
function problemsIn(printed: string, expected: Expected): readonly string[] {
  try {
    return workloadProblems(readManifests(parseAllDocuments(printed).map(valueOf)), expected);
  } catch (error) {
    if (error instanceof z.ZodError) return [z.prettifyError(error)];
    throw error;
  }
}

const valueOf = (document: { toJS: () => unknown }) => document.toJS();

function template({ helm, chart }: ChartCheck, args: readonly string[]): Ended {
  return run(helm, ['template', 'release', chart, '--namespace', 'tenantry', '--kube-version', KUBERNETES, ...args]);
}

/** By Kubernetes' own schema, without a name that it does not have. */
function schemaProblems({ python }: ChartCheck, files: readonly string[]): string[] {
  const args = ['-m', 'kubernetes_validate', '--strict', '--quiet', '--kubernetes-version', KUBERNETES, ...files];
  const { isDone, printed } = run(python, args);
  return isDone && files.length > 0 ? [] : [`kubernetes-validate: ${printed || 'nothing was rendered'}`];
}

/** Values that an installation would not run with are refused, in words. */
function refusalProblems(check: ChartCheck): string[] {
  const minimal = ['--values', join(check.chart, 'ci', 'minimal.yaml')];
  return Object.entries(refusals).flatMap(([set, says]) => {
    const { isDone, printed } = template(check, [...minimal, '--set-json', set]);
    if (isDone) return [`${set} is taken`];
    return says.test(printed) ? [] : [`${set} is refused by other words than ${String(says)}: ${printed}`];
  });
}

interface Ended {
  readonly isDone: boolean;
  readonly printed: string;
}

/** A program to its end; what it printed is its output, or, when it failed, all of it. */
export function run(program: string, args: readonly string[]): Ended {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error) throw error;
  return { isDone: status === 0, printed: status === 0 ? stdout : `${stdout}${stderr}`.trim() };
}
