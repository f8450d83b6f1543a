import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Listener } from './routes.ts';

/** The parts of a request that rules look at. */
export interface RoutedRequest {
  readonly method: string;
  /** Host header without its port, lower case. */
  readonly host: string;
  /** Path without its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The actions of the first rule, by priority, all of whose conditions hold; else the listener's default actions. */
export function actionsFor(
  listener: Pick<Listener, 'rules' | 'defaultActions'>,
  request: RoutedRequest,
): readonly Action[] {
  const rule = listener.rules.find((r) => r.conditions.every((c) => holds(c, request)));
  return rule?.actions ?? listener.defaultActions;
}

/** Patterns of rules that exist or existed; every request runs through many of them. */
const compiled = new Map<string, RegExp>();

/** An ALB pattern: `*` is any text, `?` any one character. */
export function wildcard(pattern: string, flags: '' | 'i' = ''): RegExp {
  const key = `${flags} ${pattern}`;
  const known = compiled.get(key);
  if (known) return known;
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const made = new RegExp(`^${escaped}$`, `s${flags}`);
  compiled.set(key, made);
  return made;
}

function holds(condition: RuleCondition, request: RoutedRequest): boolean {
  const values = valuesOf(condition);
  switch (condition.Field) {
    case 'host-header':
      return values.some((v) => wildcard(v, 'i').test(request.host));
    case 'path-pattern':
      return values.some((v) => wildcard(v).test(request.path));
    case 'http-request-method':
      return values.includes(request.method);
    case 'http-header': {
      const name = condition.HttpHeaderConfig?.HttpHeaderName?.toLowerCase() ?? '';
      const actual = [request.headers[name] ?? []].flat();
      return (condition.HttpHeaderConfig?.Values ?? []).some((v) => actual.some((a) => wildcard(v, 'i').test(a)));
    }
    default:
      // Conditions that the sandbox does not know match nothing, so that they cannot take somebody else's traffic.
      return false;
  }
}

function valuesOf(condition: RuleCondition): readonly string[] {
  const typed =
    condition.HostHeaderConfig?.Values ??
    condition.PathPatternConfig?.Values ??
    condition.HttpRequestMethodConfig?.Values;
  return condition.Values?.length ? condition.Values : (typed ?? []);
}
