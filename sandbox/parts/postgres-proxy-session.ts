import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Statement, StatementFault } from './postgres-proxy.ts';
import {
  errorResponse,
  MessageReader,
  readyForQuery,
  startupParameters,
  statementIn,
  type WireMessage,
} from './postgres-wire.ts';

export interface SessionHooks {
  /** Called before a statement goes on; answers what is to happen to it. */
  readonly onStatement: (statement: Statement) => StatementFault | undefined;
  readonly park: () => Promise<void>;
  readonly onLate: (effect: Promise<void>) => void;
}

/** One client's connection and the one behind it; statements pass one after the other. */
export class ProxiedSession {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #hooks: SessionHooks;
  readonly #fromClient = new MessageReader(true);
  readonly #fromServer = new MessageReader(false);
  #parameters: Readonly<Record<string, string>> = {};
  #request: WireMessage[] = [];
  #last: Promise<void> = Promise.resolve();
  /** Of the server's last word: `I` idle, `T` in a transaction, `E` in a failed one; empty before it let the client in. */
  #status = '';
  #answered: (() => void) | undefined;
  #swallows = false;
  #transaction = randomUUID();
  #trail: string[] = [];

  constructor(client: Socket, server: Socket, hooks: SessionHooks) {
    this.#client = client;
    this.#server = server;
    this.#hooks = hooks;
    client.on('data', (chunk: Buffer) => this.#onClient(chunk));
    server.on('data', (chunk: Buffer) => this.#onServer(chunk));
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => {
      if (!this.#swallows) server.destroy();
    });
    server.on('close', () => {
      this.#answered?.();
      client.end();
    });
  }

  #onClient(chunk: Buffer): void {
    this.#fromClient.push(chunk);
    for (let message = this.#fromClient.next(); message; message = this.#fromClient.next()) this.#take(message);
  }

  #take(message: WireMessage): void {
    if (message.type === '') {
      this.#begin(message);
      return;
    }
    if (this.#status === '' || message.type === 'X') {
      this.#server.write(message.raw);
      return;
    }
    this.#request.push(message);
    if (message.type !== 'Q' && message.type !== 'S') return;
    const request = this.#request;
    this.#request = [];
    this.#last = this.#last.then(() => this.#pass(request));
  }

  #begin(message: WireMessage): void {
    const parameters = startupParameters(message);
    if (parameters) {
      this.#parameters = parameters;
      this.#fromClient.expectTyped();
    }
    this.#server.write(message.raw);
    // The answer to a request of TLS is one letter and no message. PostgreSQL without TLS says no, and the client begins anew.
  }

  #onServer(chunk: Buffer): void {
    if (this.#status === '' && chunk.length === 1) {
      this.#client.write(chunk);
      return;
    }
    this.#fromServer.push(chunk);
    if (!this.#swallows) this.#client.write(chunk);
    for (let message = this.#fromServer.next(); message; message = this.#fromServer.next()) {
      if (message.type !== 'Z') continue;
      this.#status = message.body.toString('latin1');
      this.#answered?.();
    }
  }

  async #pass(request: readonly WireMessage[]): Promise<void> {
    if (this.#client.destroyed) return;
    const fault = this.#hooks.onStatement(this.#statement(request));
    const raw = Buffer.concat(request.map((message) => message.raw));
    if (fault) await this.#strike(fault, raw);
    else await this.#exchange(raw);
    if (this.#status !== 'I') return;
    this.#transaction = randomUUID();
    this.#trail = [];
  }

  #statement(request: readonly WireMessage[]): Statement {
    const { text, values } = statementIn(request);
    this.#trail.push(text, ...values.filter((value) => value !== null));
    const { database = '', application_name: application = '', user = '' } = this.#parameters;
    return {
      at: new Date().toISOString(),
      database,
      application,
      user,
      transaction: this.#transaction,
      text,
      values,
      trail: [user, ...this.#trail].join('\n'),
    };
  }

  async #strike(fault: StatementFault, raw: Buffer): Promise<void> {
    switch (fault.type) {
      case 'delay':
        await sleep(fault.ms);
        return this.#exchange(raw);
      case 'park':
        await this.#hooks.park();
        return this.#exchange(raw);
      case 'cut':
        if (fault.when === 'after') await this.#unheard(raw);
        {
          this.#end();
          return;
        }
      case 'error':
        if (fault.when === 'after') await this.#unheard(raw);
        {
          this.#refuse(fault.code);
          return;
        }
      case 'garbage':
        await this.#unheard(raw);
        this.#client.write(Buffer.from([0x01, 0, 0, 0, 4]));
        return;
      case 'late': {
        this.#swallows = true;
        this.#client.destroy();
        const effect = sleep(fault.effectAfterMs).then(() => this.#unheard(raw));
        this.#hooks.onLate(effect.then(() => this.#end()));
        return effect;
      }
    }
  }

  /** Sends it on and waits until it is answered wholly. */
  #exchange(raw: Buffer): Promise<void> {
    if (this.#server.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#server.write(raw);
    });
  }

  #unheard(raw: Buffer): Promise<void> {
    this.#swallows = true;
    return this.#exchange(raw);
  }

  #refuse(code: string): void {
    const fatal = code.startsWith('57P') || code.startsWith('53');
    this.#client.write(errorResponse(fatal ? 'FATAL' : 'ERROR', code, `injected: ${code}`));
    if (!fatal) {
      this.#swallows = false;
      this.#client.write(readyForQuery(this.#status === 'I' ? 'I' : 'E'));
      return;
    }
    this.#client.end();
    this.#server.destroy();
  }

  #end(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
