import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { Finding, Verdict } from '../doctor/finding.ts';
import { exitCodes } from './exit-codes.ts';
import { runCommand } from './process.ts';

/** `tenantry doctor`: the preflight. Exit code 1 when something is wrong, 2 when the configuration cannot be read. */
export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'look at everything the first tenant needs: databases, Temporal, landing zone, templates; changes nothing',
    )
    .option('--json', 'one JSON document on stdout')
    .action((options: { json?: boolean }) =>
      runCommand(async () => {
        const config = loadConfig('doctor');
        const { examine } = await import('../doctor/doctor.ts');
        const findings = await examine(config);
        console.log(options.json ? JSON.stringify({ findings }) : report(findings));
        if (findings.some((f) => f.verdict === 'problem')) process.exitCode = exitCodes.failed;
      }),
    );
}

const marks: Readonly<Record<Verdict, string>> = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' };

export function report(findings: readonly Finding[]): string {
  const lines = findings.map((f) => `${marks[f.verdict]} ${f.subject}: ${f.detail}`);
  return [...lines, '', readiness(findings)].join('\n');
}

/** Whether the first tenant can come, and if not, where to begin. */
function readiness(findings: readonly Finding[]): string {
  const count = (verdict: Verdict, one: string) => {
    const { length } = findings.filter((f) => f.verdict === verdict);
    return length === 1 ? `1 ${one}` : `${length} ${one}s`;
  };
  const [problems, warnings] = [count('problem', 'problem'), count('warning', 'warning')];
  if (findings.some((f) => f.verdict === 'problem')) {
    return `Not ready for tenants: ${problems}, ${warnings}. Fix each line marked PROBLEM, then run \`tenantry doctor\` again.`;
  }
  return findings.some((f) => f.verdict === 'warning')
    ? `Ready for tenants, with ${warnings}: read each line marked warning first.`
    : 'Ready for tenants: nothing is missing.';
}
