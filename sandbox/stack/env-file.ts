import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Platform } from '../../src/contracts/platform.ts';

/**
 * Writes `<directory>/env`, with which any other process reaches the parts (`set -a; . .sandbox/env`), and the CA of the
 * load balancer beside it for curl. The first is the owner's alone: it holds credentials of the sandbox.
 */
export function writeEnvFile(directory: string, env: Readonly<Record<string, string>>, platform: Platform): string {
  mkdirSync(directory, { recursive: true });
  const file = resolve(directory, 'env');
  const lines = Object.entries(env).map(([name, value]) => `${name}=${shellQuote(value)}`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const ca = platform.cells[0]?.loadBalancers[0]?.connect?.ca;
  if (ca !== undefined) writeFileSync(caFile(directory), ca);
  return file;
}

/** Where the CA of the sandbox's load balancer lies. */
export function caFile(directory: string): string {
  return resolve(directory, 'ca.pem');
}

function shellQuote(value: string): string {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
