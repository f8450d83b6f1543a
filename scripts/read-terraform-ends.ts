// `tsx scripts/read-terraform-ends.ts FILE`: what test runs of Terraform ended with (JSON, by name): the output `platform`, read as PLATFORM_CONFIG,
// and the container definitions of API, workers and preflight, whose environment is read as these processes read theirs. Exit code 1 when
// something cannot be used, or a process gets another platform description than the output says.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ConfigError, loadConfig, type Role } from '../src/config.ts';
import { parsePlatform, PlatformConfigError } from '../src/platform.ts';

const container = z.object({
  command: z.array(z.string()),
  environment: z.array(z.object({ name: z.string(), value: z.string() })),
  secrets: z.array(z.object({ name: z.string() })).default([]),
});
const ends = z.record(z.string(), z.object({ platform: z.unknown(), tasks: z.array(z.tuple([container, container])) }));
type End = z.output<typeof ends>[string];
type Container = z.output<typeof container>;

const roles: readonly Role[] = ['api', 'worker', 'doctor'];
/** Of what Secrets Manager gives: anything of the right form. */
const secretValues: Readonly<Record<string, string>> = {
  TENANTRY_PAYLOAD_KEY: Buffer.alloc(32).toString('base64'),
  TEMPORAL_API_KEY: 'key',
};
const databaseUrl = 'postgres://login:password@host:5432/database?sslmode=verify-full';

const [file = ''] = process.argv.slice(2);
for (const [name, end] of Object.entries(ends.parse(JSON.parse(readFileSync(file, 'utf8'))))) {
  const problems = [...problemsOf(() => parsePlatform(end.platform, 'output platform')), ...taskProblems(end)];
  console.log(problems.length === 0 ? `${name}: can be used (${end.tasks.length} processes)` : `${name}:`);
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) process.exitCode = 1;
}

function taskProblems({ platform, tasks }: End): string[] {
  return tasks.flatMap(([files, main]) => {
    const role = roles.find((one) => one === main.command[0]);
    if (role === undefined) return [];
    const written = environmentOf(files)['PLATFORM'] ?? '';
    const isSame = isDeepStrictEqual(JSON.parse(written), platform);
    return [
      ...(isSame ? [] : [`${role} is given another platform description than the output`]),
      ...problemsOf(() => loadAs(role, main, written)),
    ];
  });
}

/** Reads the settings with the platform description where the task finds it: in a file. */
function loadAs(role: Role, main: Container, platform: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-terraform-end-'));
  try {
    const path = join(folder, 'platform.json');
    writeFileSync(path, platform);
    const secrets = main.secrets.map(({ name }) => [name, secretValues[name] ?? databaseUrl] as const);
    loadConfig(role, { ...environmentOf(main), ...Object.fromEntries(secrets), PLATFORM_CONFIG: path });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function environmentOf({ environment }: Container): Record<string, string> {
  return Object.fromEntries(environment.map(({ name, value }) => [name, value]));
}

function problemsOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof PlatformConfigError || error instanceof ConfigError) return [error.message];
    throw error;
  }
}
