import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { runServer } from './process.ts';
import { traced } from './traced.ts';

/** `tenantry worker`: runs where the AWS credentials are. The AWS SDK is loaded by this command only. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description(
      'run a worker: workflows, activities with AWS credentials, outbox (SIGTERM: calls under way end within 30 s, mostly at once)',
    )
    .action(() =>
      runServer(
        () => loadConfig('worker'),
        traced('tenantry-worker', async (...served) => (await import('../worker/serve.ts')).serveWorker(...served)),
      ),
    );
}
