import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { runServer } from './process.ts';
import { traced } from './traced.ts';

/** `tenantry api`: HTTP, on the loopback where nobody is asked who calls; holds no AWS credentials and loads no AWS SDK. */
export function registerApi(program: Command): void {
  program
    .command('api')
    .description('serve the HTTP API (TENANTRY_API_HOST, default 127.0.0.1; TENANTRY_API_PORT, default 3006)')
    .action(() =>
      runServer(
        () => loadConfig('api'),
        traced('tenantry-api', async (...served) => (await import('./serve-api.ts')).serveApi(...served)),
      ),
    );
}
