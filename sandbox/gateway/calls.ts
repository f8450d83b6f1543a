import type { Stage } from './pipeline.ts';

/** One AWS call that passed through the gateway. */
export interface CallRecord {
  readonly at: string;
  readonly service: string;
  readonly action: string;
  readonly status: number;
  readonly durationMs: number;
}

const keptCalls = 5000;

/** Log of the last 5,000 calls, without their contents. */
export class CallLog {
  readonly #records: CallRecord[] = [];

  /** Newest last. */
  records(): readonly CallRecord[] {
    return this.#records;
  }

  readonly stage: Stage = async (call, next) => {
    const startedAt = Date.now();
    const answer = await next();
    const { service, action } = call;
    this.#records.push({
      at: new Date(startedAt).toISOString(),
      service,
      action,
      status: answer.status,
      durationMs: Date.now() - startedAt,
    });
    if (this.#records.length > keptCalls) this.#records.splice(0, this.#records.length - keptCalls);
    return answer;
  };
}
