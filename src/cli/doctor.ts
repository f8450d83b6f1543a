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

function report(findings: readonly Finding[]): string {
  const lines = findings.map((f) => `${marks[f.verdict]} ${f.subject}: ${f.detail}`);
  return [...lines, '', ...answers(findings)].join('\n');
}

/** The four open questions of requirement R-PRE-08. */
function answers(findings: readonly Finding[]): string[] {
  const all = (id: string) => findings.filter((f) => f.covers?.includes(id));
  const yes = (id: string) => {
    // A look that itself failed (no credentials, no rights) covers nothing.
    if (all(id).length === 0) return 'not known';
    return all(id).every((f) => f.verdict === 'ok') ? 'yes' : 'no';
  };
  return [
    `Does the cluster exist? ${yes('R-PRE-01')}`,
    `Are the template services deployed and working? ${yes('R-PRE-02')}`,
    'Which approach? orchestrated, by Temporal',
    `Are there earlier provisioning components? ${
      all('R-PRE-07')
        .map((f) => f.detail)
        .join('; ') || 'not known'
    }`,
  ];
}
