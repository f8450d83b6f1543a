import type { ApiClient } from './api-client.ts';
import type { Terminal } from './output.ts';
import type { Subject } from './subject.ts';

/** What the commands on tenants, or on the accounts that tenants are, work with. */
export interface Context {
  readonly api: ApiClient;
  readonly terminal: Terminal;
  readonly subject: Subject;
}

/** Options that every command has. */
export interface Common {
  readonly json?: boolean;
}

/** Options of commands that follow something. */
export interface Following extends Common {
  /** Leave when it holds: exit code 6. */
  readonly untilHold?: boolean;
}

/** Options of commands that start something. */
export interface Waiting extends Following {
  readonly wait: boolean;
}
