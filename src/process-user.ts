import { userInfo } from 'node:os';

/** Who runs the process, for an audit trail; by number where the user id has no name (`docker run --user 1234`). */
export function processUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
