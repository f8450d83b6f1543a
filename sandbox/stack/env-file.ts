import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Platform } from '../../src/contracts/platform.ts';

/**
 * Writes `<directory>/env`, with which any other process reaches the parts (`set -a; . .sandbox/env`), and the CA of the
 * load balancer beside it for curl. The first is the owner's alone: it holds credentials of the sandbox.
 */
export function writeEnvFile(directory: string, env: Readonly<Record<string, string>>, platform: Platform): string {
  mkdirSync(directory, { recursive: true });
  const file = envFileOf(directory);
  const lines = Object.entries(env).map(([name, value]) => `${name}=${shellQuote(value)}`);
  // A sandbox that is killed leaves the file behind.
  const warning = shellQuote(`${file}: ${notRunning(directory)}`);
  const check = `kill -0 ${process.pid} 2>/dev/null || echo ${warning} >&2`;
  writeFileSync(file, `${[check, ...lines].join('\n')}\n`, { mode: 0o600 });
  const ca = platform.cells[0]?.loadBalancers[0]?.connect?.ca;
  if (ca !== undefined) writeFileSync(caFile(directory), ca);
  return file;
}

/** What a sandbox does with its file at its end: the ports in it will be somebody else's. */
export function removeEnvFile(directory: string): void {
  rmSync(envFileOf(directory), { force: true });
}

/** The variables of the file; none when it is not there. */
export function readEnvFile(directory: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(envFileOf(directory), 'utf8');
  } catch {
    return {};
  }
  const pairs = text.split('\n').flatMap((line) => {
    const [, name, value] = /^([A-Z_0-9]+)=(.*)$/.exec(line) ?? [];
    return name !== undefined && value !== undefined ? [[name, value.replace(/^'|'$/g, '')] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** What people are told when what they ask for is gone. */
export function notRunning(directory: string): string {
  return `the sandbox in ${resolve(directory)} is not running any more: start one again (npm start)`;
}

function envFileOf(directory: string): string {
  return resolve(directory, 'env');
}

/** Where the CA of the sandbox's load balancer lies. */
export function caFile(directory: string): string {
  return resolve(directory, 'ca.pem');
}

function shellQuote(value: string): string {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
