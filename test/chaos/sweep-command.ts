import { fileURLToPath } from 'node:url';
import { startChild } from '../../sandbox/parts/child.ts';
import type { SweepRemoval, SweepReport } from '../../src/contracts/sweep.ts';
import type { ProcessWorld } from './process-world.ts';

/** `tenantry sweep` as an operator runs it: a process of its own, with the credentials that a worker has. */
export interface SweepCommand {
  report(): Promise<SweepReport>;
  approve(reportId: string, ...only: readonly string[]): Promise<void>;
  remove(reportId: string): Promise<readonly SweepRemoval[]>;
  /** What it printed when it was refused. @throws Error when it was not */
  refusal(...args: readonly string[]): Promise<string>;
}

const cli = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));

export function sweepCommand(world: ProcessWorld): SweepCommand {
  const sweep = async (...args: readonly string[]) => {
    const env = { ...process.env, ...world.env, LOG_LEVEL: 'silent' };
    const child = await startChild({ name: 'sweep', command: process.execPath, args: [cli, 'sweep', ...args], env });
    const { code } = await child.exited;
    return { code, output: child.output() };
  };
  const json = async (...args: readonly string[]): Promise<unknown> => {
    const { code, output } = await sweep(...args, '--json');
    // 1: something was found, or skipped.
    if (code !== 0 && code !== 1) throw new Error(`tenantry sweep ${args.join(' ')} exited with ${code}:\n${output}`);
    const line = output.split('\n').find((l) => l.startsWith('{'));
    if (line === undefined) throw new Error(`tenantry sweep ${args.join(' ')} printed no JSON:\n${output}`);
    return JSON.parse(line);
  };
  return {
    report: async () => {
      const [report] = ((await json()) as { reports: SweepReport[] }).reports;
      if (!report) throw new Error('the sweep made no report');
      return report;
    },
    approve: async (reportId, ...only) => {
      const named = only.length > 0 ? ['--only', ...only] : [];
      await json('approve', reportId, '--by', 'chaos', ...named);
    },
    remove: async (reportId) =>
      ((await json('remove', reportId, '--limit', '20')) as { removals: SweepRemoval[] }).removals,
    refusal: async (...args) => {
      const { code, output } = await sweep(...args);
      if (code !== 4 && code !== 2)
        throw new Error(`tenantry sweep ${args.join(' ')} was not refused (${code}):\n${output}`);
      return output;
    },
  };
}
