import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { ProxiedSession, type SessionHooks } from './postgres-proxy-session.ts';

/** Which statements a rule means: all given fields must match. */
export interface StatementMatch {
  readonly database?: string | undefined;
  /** `application_name` of the connection. */
  readonly application?: string | undefined;
  /** Text that the statement, on one line, begins with; in any case. */
  readonly startsWith?: string | undefined;
  /** Each occurs in the statement, in its values, in those of an earlier statement of its transaction, or in the login role. */
  readonly contains?: readonly string[] | undefined;
}

export type StatementFault =
  /** The connection ends, without the statement reaching the server, or with its effect but without an answer. */
  | { readonly type: 'cut'; readonly when: 'before' | 'after' }
  /** An SQLSTATE instead of the statement or after its effect; those of class 53 and 57 end the connection, as the server's do. */
  | { readonly type: 'error'; readonly when: 'before' | 'after'; readonly code: string }
  /** Bytes that are no message of PostgreSQL's instead of the answer, after the statement's effect. */
  | { readonly type: 'garbage' }
  /** The client's connection ends at once; the statement reaches the server that long after. */
  | { readonly type: 'late'; readonly effectAfterMs: number }
  | { readonly type: 'delay'; readonly ms: number }
  /** Held until {@link PostgresProxy.release}. */
  | { readonly type: 'park' };

export interface StatementRule {
  readonly match: StatementMatch;
  readonly fault: StatementFault;
  /** Matching statements that pass first; default 0. */
  readonly skip?: number | undefined;
  /** Default 1; null: always. */
  readonly times?: number | null | undefined;
}

/** One statement that came through. */
export interface StatementRecord {
  readonly seq: number;
  readonly at: string;
  readonly database: string;
  readonly application: string;
  readonly user: string;
  /** The same for all statements of one transaction, and for nothing else. */
  readonly transaction: string;
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly fault?: StatementFault['type'] | undefined;
}

/** A TCP proxy before a PostgreSQL server that can lose, delay or refuse single statements. It speaks no TLS. */
export interface PostgresProxy {
  readonly port: number;
  /** The same URL by way of the proxy. */
  through(url: string): string;
  addRule(rule: StatementRule): string;
  removeRule(id: string): void;
  /** How often a rule struck; 0 for an unknown one. */
  hits(id: string): number;
  /** Lets go on what is parked. */
  release(): void;
  /** The last 50,000, oldest first. */
  statements(): readonly StatementRecord[];
  /** Resolves when no late statement is still to come. */
  whenQuiet(): Promise<void>;
  close(): Promise<void>;
}

const keptStatements = 50_000;

interface StoredRule extends StatementRule {
  seen: number;
  hits: number;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startPostgresProxy(target: { host: string; port: number }): Promise<PostgresProxy> {
  const rules = new Map<string, StoredRule>();
  const records: StatementRecord[] = [];
  const sockets = new Set<Socket>();
  const late = new Set<Promise<void>>();
  let parked: (() => void)[] = [];
  const hooks: SessionHooks = {
    onStatement: (statement) => {
      const fault = firstFault(rules.values(), statement);
      records.push({ ...statement, seq: (records.at(-1)?.seq ?? 0) + 1, ...(fault && { fault: fault.type }) });
      if (records.length > keptStatements) records.splice(0, records.length - keptStatements);
      return fault;
    },
    park: () => new Promise((resolve) => parked.push(resolve)),
    onLate: (effect) => {
      late.add(effect);
      void effect.finally(() => late.delete(effect));
    },
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => sockets.delete(socket));
    }
    new ProxiedSession(client, upstream, hooks);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    through: (url) => {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(port);
      return changed.href;
    },
    addRule: (rule) => {
      const id = randomUUID();
      rules.set(id, { ...rule, seen: 0, hits: 0 });
      return id;
    },
    removeRule: (id) => void rules.delete(id),
    hits: (id) => rules.get(id)?.hits ?? 0,
    release: () => {
      for (const go of parked) go();
      parked = [];
    },
    statements: () => records,
    whenQuiet: async () => {
      while (late.size > 0) await Promise.all(late);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Statement = Omit<StatementRecord, 'seq' | 'fault'> & {
  /** The login role, and statements and values of the transaction so far, this one included. */
  readonly trail: string;
};

function firstFault(rules: Iterable<StoredRule>, statement: Statement): StatementFault | undefined {
  for (const rule of rules) {
    if (!matches(rule.match, statement)) continue;
    rule.seen += 1;
    const { skip = 0, times = 1 } = rule;
    if (rule.seen <= skip || (times !== null && rule.hits >= times)) continue;
    rule.hits += 1;
    return rule.fault;
  }
  return undefined;
}

function matches({ database, application, startsWith, contains = [] }: StatementMatch, statement: Statement): boolean {
  return (
    (database === undefined || database === statement.database) &&
    (application === undefined || application === statement.application) &&
    (startsWith === undefined || statement.text.toLowerCase().startsWith(startsWith.toLowerCase())) &&
    contains.every((text) => statement.trail.includes(text))
  );
}
