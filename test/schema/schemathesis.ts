import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { installSchemathesis } from '../../sandbox/parts/schemathesis.ts';
import type { SchemaWorld } from './world.ts';

/** What a run of Schemathesis found. */
export interface Findings {
  /** How many it sent, by operation: `GET /api/v1/tenants/{tenantId}`. Methods that a path does not take count, too. */
  readonly requests: ReadonlyMap<string, number>;
  /** What is wrong, by operation. */
  readonly failures: ReadonlyMap<string, readonly string[]>;
  /** What went wrong with Schemathesis itself. */
  readonly errors: readonly string[];
  /** Names of the checks that answers were held against. */
  readonly checks: ReadonlySet<string>;
  /** What it printed. */
  readonly output: string;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
/** Its command is a script that names the interpreter by a path; the install has moved since. */
const main = 'import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())';
const longestMs = 240_000;
/** Of nothing. */
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** Holds the API that listens against its own description. */
export async function holdAgainstDescription(world: SchemaWorld): Promise<Findings> {
  const python = await installSchemathesis((line) => console.error(`[schema] ${line}`));
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-schema-'));
  try {
    await writeInputs(world, folder);
    const report = join(folder, 'report.ndjson');
    const given = ['--no-color', '--config-file', 'schemathesis.toml', 'run', 'openapi.json'];
    const reported = ['--report', 'ndjson', '--report-ndjson-path', report];
    const output = await run(python, ['-c', main, ...given, '--url', world.url, ...reported], folder, world.token);
    return { ...findingsOf(await readFile(report, 'utf8')), output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeInputs({ url, token, ...words }: SchemaWorld, folder: string): Promise<void> {
  const answer = await fetch(`${url}/openapi.json`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`no description: ${answer.status} ${await answer.text()}`);
  await writeFile(join(folder, 'openapi.json'), await answer.text());
  // Its dictionaries are found beside it.
  await copyFile(here('./schemathesis.toml'), join(folder, 'schemathesis.toml'));
  for (const name of ['tenants', 'webhooks', 'accounts'] as const)
    await writeFile(join(folder, `${name}.words`), [...words[name], UNKNOWN].map((id) => `"${id}"\n`).join(''));
}

function run(python: string, args: readonly string[], folder: string, token: string): Promise<string> {
  const env = { TENANTRY_TOKEN: token, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here('.') };
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, {
      cwd: folder,
      env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestMs,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      // 1: it found something.
      if (code === 0 || code === 1) resolve(output);
      else reject(new Error(`schemathesis ended with ${code ?? signal}: ${output}`));
    });
  });
}

const check = z.object({
  name: z.string(),
  failure_info: z.object({ failure: z.object({ title: z.string(), message: z.string() }) }).nullish(),
});
/** One operation in one phase, or a sequence of operations: then a failure names its own. */
const scenario = z.object({
  recorder: z.object({
    label: z.string(),
    // Left out of a scenario that sent nothing.
    cases: z.record(z.string(), z.object({ value: z.object({ method: z.string(), path: z.string() }) })).default({}),
    checks: z.record(z.string(), z.array(check)).default({}),
    interactions: z
      .record(z.string(), z.object({ response: z.object({ content: z.unknown() }).nullish() }))
      .default({}),
  }),
});
const event = z.object({
  ScenarioFinished: scenario.optional(),
  NonFatalError: z.object({ label: z.string(), value: z.object({ message: z.string() }) }).optional(),
  FatalError: z.unknown().optional(),
});
const encoded = z.object({ $base64: z.string() });

function findingsOf(report: string): Omit<Findings, 'output'> {
  const requests = new Map<string, number>();
  const checks = new Set<string>();
  const errors: string[] = [];
  const failures = new Map<string, string[]>();
  for (const line of report.split('\n').filter(Boolean)) {
    const { ScenarioFinished, NonFatalError, FatalError } = event.parse(JSON.parse(line));
    if (NonFatalError) errors.push(`${NonFatalError.label}: ${NonFatalError.value.message}`);
    if (FatalError !== undefined) errors.push(JSON.stringify(FatalError));
    const { recorder } = ScenarioFinished ?? {};
    for (const [id, { value }] of Object.entries(recorder?.cases ?? {})) {
      const operation = `${value.method} ${value.path}`;
      requests.set(operation, (requests.get(operation) ?? 0) + 1);
      for (const { name, failure_info } of recorder?.checks[id] ?? []) {
        checks.add(name);
        if (!failure_info) continue;
        const { title, message } = failure_info.failure;
        const answer = answerOf(recorder?.interactions[id]?.response?.content);
        failures.set(operation, [...(failures.get(operation) ?? []), `${name}: ${title}\n${message}\n${answer}`]);
      }
    }
  }
  return { requests, checks, errors, failures };
}

function answerOf(content: unknown): string {
  const bytes = encoded.safeParse(content).data?.$base64 ?? '';
  return Buffer.from(bytes, 'base64').toString().slice(0, 600);
}
