import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';

/** A command as the code issues it, with what a replay does not compare: arguments, time-outs, retries, durations. */
export interface Command {
  readonly activity?: string;
  readonly timerMs?: number;
  readonly [detail: string]: unknown;
}

export interface RecorderSinks extends Sinks {
  readonly recorder: { command(command: Command): void };
}

/** Workflow interceptors that tell a sink of every activity and timer, during replay too. */
export function interceptors(): WorkflowInterceptors {
  const { recorder } = proxySinks<RecorderSinks>();
  return {
    outbound: [
      {
        scheduleActivity(input, next) {
          recorder.command({ activity: input.activityType, args: input.args, ...input.options });
          return next(input);
        },
        startTimer(input, next) {
          recorder.command({ timerMs: input.durationMs, summary: input.options?.summary });
          return next(input);
        },
      },
    ],
  };
}
