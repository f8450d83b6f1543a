import type { Logger } from 'pino';
import { AwsError, errorAnswer } from './answer.ts';
import type { Answer, Call } from './request.ts';

/** Answers a call that the gateway owns wholly or in part; it may forward, and change what comes back. */
export type Handler = (call: Call) => Promise<Answer>;

/** Handlers by SigV4 service name and action, `*` for all other actions; what is in no table is forwarded as it is. */
export type HandlerTable = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/**
 * One stage between fault injection and handling (limits, the mailbox). It may answer itself, delay, or change the
 * answer; `next` runs the rest of the pipeline.
 */
export type Stage = (call: Call, next: () => Promise<Answer>) => Promise<Answer>;

export interface PipelineParts {
  readonly stages: readonly Stage[];
  readonly handlers: HandlerTable;
  readonly forward: Handler;
  readonly logger: Logger;
}

/** The way of every AWS call: stages in order, then its owned handler or the upstream. Never rejects. */
export function createPipeline(parts: PipelineParts): Handler {
  const handle: Handler = (call) => {
    const table = Object.hasOwn(parts.handlers, call.service) ? parts.handlers[call.service] : undefined;
    const handler = table && Object.hasOwn(table, call.action) ? table[call.action] : table?.['*'];
    return (handler ?? parts.forward)(call);
  };
  const guarded: Handler = async (call) => {
    try {
      return await handle(call);
    } catch (error) {
      return failureAnswer(call, error, parts.logger);
    }
  };
  return parts.stages.reduceRight<Handler>((rest, stage) => (call) => stage(call, () => rest(call)), guarded);
}

function failureAnswer(call: Call, error: unknown, logger: Logger): Answer {
  if (error instanceof AwsError) return errorAnswer(call, error);
  logger.error({ err: error, service: call.service, action: call.action }, 'gateway handler failed');
  const detail = error instanceof Error ? error.message : String(error);
  return errorAnswer(
    call,
    new AwsError('InternalFailure', `the gateway could not handle ${call.action}: ${detail}`, 500),
  );
}
