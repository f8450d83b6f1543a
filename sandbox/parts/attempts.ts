import { messageOf, type Log } from './log.ts';

/** One way to get hold of something: undefined or an error means that it does not work here. */
export type Attempt<T> = { name: string; run: () => Promise<T | undefined> };

/**
 * The result of the first attempt that works.
 *
 * @throws Error that names every attempt, what became of it, and the advice.
 */
export async function firstThatWorks<T>(what: string, attempts: Attempt<T>[], advice: string, log: Log): Promise<T> {
  const failures: string[] = [];
  for (const { name, run } of attempts) {
    try {
      const result = await run();
      if (result !== undefined) return result;
      failures.push(`- ${name}: not there`);
    } catch (error) {
      const reason = lastLine(messageOf(error));
      failures.push(`- ${name}: ${reason}`);
      log(`${what}: ${name} did not work (${reason}), trying the next way`);
    }
  }
  throw new Error(`no ${what} could be had:\n${failures.join('\n')}\n${advice}`);
}

/** Tools print their reason last, or mark it; the rest is a stack. */
function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  const telling = lines.findLast((line) => /error|fail|not found|no such/i.test(line)) ?? lines.at(-1) ?? text;
  return telling
    .trim()
    .replace(/^\[?Error: /, '')
    .slice(0, 200);
}
