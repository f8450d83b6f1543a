import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { processLog, runCommand, untilSignalled } from './process.ts';

/** `tenantry worker`: runs where the AWS credentials are. The AWS SDK is loaded by this command only. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker: workflows, activities with AWS credentials, outbox (stops at SIGTERM within 10 s)')
    .action(() =>
      runCommand(async () => {
        const config = loadConfig('worker');
        const log = processLog(config.logLevel);
        const { serveWorker } = await import('../worker/serve.ts');
        await serveWorker(config, log, untilSignalled(log));
      }),
    );
}
