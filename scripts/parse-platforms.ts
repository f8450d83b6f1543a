// `tsx scripts/parse-platforms.ts FILE`: reads platform descriptions (JSON, by name) as API and workers read PLATFORM_CONFIG. Exit code 1 when
// one of them cannot be used.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parsePlatform, PlatformConfigError } from '../src/platform.ts';

const [file = ''] = process.argv.slice(2);
const platforms = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')));

for (const [name, raw] of Object.entries(platforms)) {
  const problem = problemOf(name, raw);
  console.log(problem ?? `${name}: can be used`);
  if (problem !== undefined) process.exitCode = 1;
}

function problemOf(name: string, raw: unknown): string | undefined {
  try {
    parsePlatform(raw, `output platform of ${name}`);
    return undefined;
  } catch (error) {
    if (error instanceof PlatformConfigError) return error.message;
    throw error;
  }
}
