import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { runServer } from './process.ts';

/** `tenantry api`: HTTP on loopback; holds no AWS credentials and loads no AWS SDK. */
export function registerApi(program: Command): void {
  program
    .command('api')
    .description('serve the HTTP API on 127.0.0.1 (TENANTRY_API_PORT, default 3006)')
    .action(() =>
      runServer(
        () => loadConfig('api'),
        async (...served) => (await import('./serve-api.ts')).serveApi(...served),
      ),
    );
}
