import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { processLog, runCommand, untilSignalled } from './process.ts';
import { serveApi } from './serve-api.ts';

/** `tenantry api`: serves the HTTP API until SIGINT or SIGTERM; holds no AWS credentials. */
export function registerApi(program: Command): void {
  program
    .command('api')
    .description('serve the HTTP API, which needs no AWS credentials')
    .addHelpText(
      'after',
      `
Environment:
  DATABASE_URL              the control plane's PostgreSQL
  TEMPORAL_ADDRESS, ...     the standard variables of Temporal
  PLATFORM_CONFIG           path of the platform description
  TENANTRY_PAYLOAD_KEY      32 bytes in base64: encrypts payloads in Temporal
  TENANTRY_API_HOST         default 127.0.0.1; no other until callers are authenticated
  TENANTRY_API_PORT         default 3006
  TENANTRY_TEMPORAL_UI_URL  address of Temporal's UI, which may call the codec endpoint`,
    )
    .action(() =>
      runCommand(async () => {
        const config = loadConfig('api');
        const log = processLog(config.logLevel);
        await serveApi(config, log, untilSignalled(log));
      }),
    );
}
