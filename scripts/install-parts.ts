/**
 * `tsx scripts/install-parts.ts`: installs into the user's cache what tests start (MiniStack, Temporal's two servers), so that no test
 * waits for it, nor runs beside a compiler. Does nothing when all of it is there. Exit code 1 when a part cannot be had.
 */
import { messageOf } from '../sandbox/parts/log.ts';
import { installMinistack } from '../sandbox/parts/ministack.ts';
import { temporalExecutable } from '../sandbox/parts/temporal-executable.ts';
import { timeSkippingExecutable } from '../sandbox/parts/time-skipping-server.ts';

const log = (line: string) => console.error(`[parts] ${line}`);
const installed = await Promise.allSettled([
  installMinistack(log),
  temporalExecutable(log),
  timeSkippingExecutable({ log }),
]);
for (const part of installed)
  if (part.status === 'rejected') {
    log(messageOf(part.reason));
    process.exitCode = 1;
  }
