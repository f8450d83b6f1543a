import { Command, InvalidArgumentError, Option } from 'commander';
import type { TimePreset } from './time.ts';

interface Arguments {
  readonly upstream: string;
  readonly port: number;
  readonly time: TimePreset;
  readonly taskHost: 'shared' | 'process-per-task';
  readonly listenerPort: Record<number, number>;
  readonly turbulence?: number;
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
    .addOption(turbulenceOption())
    .action(async (args: Arguments) => {
      const [{ pino }, { startGateway }] = await Promise.all([import('pino'), import('./gateway.ts')]);
      const logger = pino({ level: 'info' });
      const gateway = await startGateway({
        upstreamUrl: args.upstream,
        port: args.port,
        time: args.time,
        taskHost: args.taskHost,
        listenerPorts: args.listenerPort,
        faults: args.turbulence === undefined ? {} : { turbulence: { seed: args.turbulence } },
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

/** Random faults from the start. */
export function turbulenceOption(): Option {
  const description = 'random faults in about one of twenty AWS calls that steps make; the same seed, the same faults';
  return new Option('--turbulence <seed>', description).argParser((value) => {
    if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('a seed is a whole number, 0 or more');
    return Number(value);
  });
}

function readListenerPort(value: string, before: Record<number, number>): Record<number, number> {
  const found = /^(\d+)=(\d+)$/.exec(value);
  if (!found) throw new Error(`--listener-port ${value} is not of the form 443=8443`);
  return { ...before, [Number(found[1])]: Number(found[2]) };
}
