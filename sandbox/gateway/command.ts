import { Command, Option } from 'commander';
import type { TimePreset } from './time.ts';

interface Arguments {
  readonly upstream: string;
  readonly port: number;
  readonly time: TimePreset;
  readonly taskHost: 'shared' | 'process-per-task';
  readonly listenerPort: Record<number, number>;
}

/** The gateway as a program of its own, before an emulator that was started by hand. */
export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('Stands between the AWS SDK and an AWS emulator, and runs what the emulator only stores.')
    .requiredOption('--upstream <url>', "the emulator's endpoint")
    .option('--port <port>', 'port to listen on; 0 takes a free one', Number, 0)
    .addOption(
      new Option('--time <preset>', 'how long things take').choices(['fast', 'demo', 'aws-like']).default('demo'),
    )
    .addOption(
      new Option('--task-host <mode>', 'processes for tasks').choices(['shared', 'process-per-task']).default('shared'),
    )
    .option('--listener-port <listener=local...>', 'local ports of listeners, such as 443=8443', readListenerPort, {})
    .action(async (args: Arguments) => {
      const [{ pino }, { startGateway }] = await Promise.all([import('pino'), import('./gateway.ts')]);
      const logger = pino({ level: 'info' });
      const gateway = await startGateway({
        upstreamUrl: args.upstream,
        port: args.port,
        time: args.time,
        taskHost: args.taskHost,
        listenerPorts: args.listenerPort,
        logger,
      });
      const stop = () => {
        void gateway.close().then(() => process.exit(0));
      };
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      // Printed last: whoever reads it may interrupt at once.
      process.stdout.write(`AWS_ENDPOINT_URL=${gateway.url}\n`);
    });
}

function readListenerPort(value: string, before: Record<number, number>): Record<number, number> {
  const found = /^(\d+)=(\d+)$/.exec(value);
  if (!found) throw new Error(`--listener-port ${value} is not of the form 443=8443`);
  return { ...before, [Number(found[1])]: Number(found[2]) };
}
