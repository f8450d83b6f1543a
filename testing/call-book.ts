import type { Gateway } from '../sandbox/gateway/gateway.ts';

/** What the steps of each kind asked of AWS, over everything that was tried: the gateway's log keeps the last calls only. */
export class CallBook {
  readonly #gateway: Pick<Gateway, 'calls'>;
  readonly #kindOf = new Map<string, string>();
  readonly #actions = new Map<string, Set<string>>();
  readonly #timer: NodeJS.Timeout;
  #seen = 0;

  constructor(gateway: Pick<Gateway, 'calls'>) {
    this.#gateway = gateway;
    this.#timer = setInterval(() => this.#read(), 500);
  }

  register(operationId: string, steps: readonly { readonly id: string; readonly kind: string }[]): void {
    for (const { id, kind } of steps) this.#kindOf.set(`${operationId} ${id}`, kind);
  }

  /** `ecs:CreateService`, sorted. */
  actionsOf(kind: string): string[] {
    this.#read();
    return [...(this.#actions.get(kind) ?? [])].sort();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #read(): void {
    for (const { seq, caller, service, action } of this.#gateway.calls(this.#seen)) {
      this.#seen = seq;
      const kind = this.#kindOf.get(`${caller.operationId ?? ''} ${caller.stepId ?? ''}`);
      if (kind === undefined) continue;
      const actions = this.#actions.get(kind) ?? new Set();
      this.#actions.set(kind, actions.add(`${service}:${action}`));
    }
  }
}
