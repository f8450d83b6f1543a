import type { Context, Waiting } from './context.ts';
import { interruptibleRequest } from './interruption.ts';
import { settling, type Signs } from './late-outcome.ts';

/**
 * A request whose outcome is looked for when it is unknown, unless the caller does not want to wait.
 * @param key under which it is sent, when the caller may send it again
 */
export function requested<T>(
  { terminal }: Pick<Context, 'terminal'>,
  options: Waiting,
  look: string,
  send: () => Promise<T>,
  signs: Signs<T>,
  key?: string,
): Promise<T> {
  const onNote = (text: string) => {
    if (options.json !== true) terminal.err.write(`${text}\n`);
  };
  const request = () => (options.wait ? settling(send, signs, onNote) : send());
  return interruptibleRequest(terminal, options, look, request, key);
}
