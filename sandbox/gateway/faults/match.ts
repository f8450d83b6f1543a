import { isReadAction } from '../actions.ts';
import type { Call } from '../request.ts';
import type { CallMatch } from './setting.ts';

/** Whether a call is one of those meant. */
export function matches(match: CallMatch, call: Call): boolean {
  const { service, action, kind, contains, ...caller } = match;
  if (service !== undefined && service !== call.service) return false;
  if (action !== undefined && action !== call.action) return false;
  if (kind !== undefined && kind !== call.kind) return false;
  for (const name of ['app', 'operationId', 'stepId', 'verb'] as const) {
    if (caller[name] !== undefined && caller[name] !== call.caller[name]) return false;
  }
  return contains === undefined || mentions(call, contains);
}

/** Whether a match means reads, so that a `stale` rule is about them and not about changes. */
export function namesReads({ kind, action }: CallMatch): boolean {
  return kind === 'read' || (kind === undefined && action !== undefined && isReadAction(action));
}

/** Path and body, with what was URL-encoded decoded. */
export function requestText(call: Pick<Call, 'path' | 'body'>): string {
  return decoded(`${call.path}\n${call.body.toString('utf8')}`);
}

/** Whether path or body contain the text, as sent or URL-decoded. */
function mentions(call: Pick<Call, 'path' | 'body'>, text: string): boolean {
  return `${call.path}\n${call.body.toString('utf8')}`.includes(text) || requestText(call).includes(text);
}

function decoded(text: string): string {
  return text.replaceAll('+', ' ').replaceAll(/(?:%[0-9a-fA-F]{2})+/g, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      return escaped;
    }
  });
}
