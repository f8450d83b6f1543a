import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { temporalExecutable } from './parts/temporal-executable.ts';

/** Runs Temporal's CLI on this terminal. Answers its exit code. */
export async function runTemporal(args: readonly string[]): Promise<number> {
  const executable = await temporalExecutable((line) => console.error(`  ${line}`));
  const child = spawn(executable, [...args], { stdio: 'inherit' });
  // A terminal's Ctrl-C reaches both: the one who waits must not go first.
  process.on('SIGINT', () => undefined);
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}
