import type { Command } from 'commander';
import { loadDatabaseUrl } from '../config.ts';
import { runCommand } from './process.ts';

/** `tenantry migrate`: brings the control plane's database up to this code. */
export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description("apply the control plane's migrations to DATABASE_URL (safe to run twice at once)")
    .action(() =>
      runCommand(async () => {
        const { migrate } = await import('../db/migrate.ts');
        const { applied } = await migrate(loadDatabaseUrl(), undefined, { onWait: (reason) => console.error(reason) });
        console.log(applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`);
      }),
    );
}
