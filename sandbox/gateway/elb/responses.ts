import http from 'node:http';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { actionsFor } from './matching.ts';
import { targetGroupsOf, type Listener } from './routes.ts';
import type { TargetHealth } from './target-health.ts';

export interface RoutedExchange {
  readonly listener: Listener;
  readonly targets: TargetHealth;
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
}

const turns = new WeakMap<TargetHealth, Map<string, number>>();
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Answers one request as the load balancer does: finds its rule and carries out the rule's last action. */
export function respond(exchange: RoutedExchange): void {
  const { request, listener } = exchange;
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const actions = actionsFor(listener, { method: request.method ?? 'GET', host, path, headers: request.headers });
  const action = actions.at(-1);
  switch (action?.Type) {
    case 'fixed-response': {
      fixedResponse(exchange, action);
      return;
    }
    case 'redirect': {
      redirect(exchange, action, host, path);
      return;
    }
    case 'forward': {
      forward(exchange, action);
      return;
    }
    default: {
      errorPage(exchange, 503, 'Service Temporarily Unavailable');
      return;
    }
  }
}

function fixedResponse({ request, response }: RoutedExchange, action: Action): void {
  const { StatusCode = '503', ContentType = 'text/plain', MessageBody = '' } = action.FixedResponseConfig ?? {};
  request.resume();
  response.writeHead(Number(StatusCode), { server: 'awselb/2.0', 'content-type': `${ContentType}; charset=utf-8` });
  response.end(MessageBody);
}

function redirect({ request, response, listener }: RoutedExchange, action: Action, host: string, path: string): void {
  const config = action.RedirectConfig;
  const values: Readonly<Record<string, string>> = {
    '#{protocol}': listener.protocol.toLowerCase(),
    '#{host}': host,
    '#{port}': String(listener.port),
    '#{path}': path.slice(1),
    '#{query}': (request.url ?? '').split('?').slice(1).join('?'),
  };
  const fill = (template: string) =>
    template.replaceAll(/#\{(?:protocol|host|port|path|query)\}/g, (name) => values[name] ?? '');
  const protocol = fill((config?.Protocol ?? '#{protocol}').toLowerCase());
  const port = fill(config?.Port ?? '#{port}');
  const query = fill(config?.Query ?? '#{query}');
  const location = `${protocol}://${fill(config?.Host ?? '#{host}')}:${port}${fill(config?.Path ?? '/#{path}')}${query ? `?${query}` : ''}`;
  request.resume();
  response.writeHead(config?.StatusCode === 'HTTP_302' ? 302 : 301, { server: 'awselb/2.0', location });
  response.end();
}

function forward(exchange: RoutedExchange, action: Action): void {
  const { request, response, listener, targets } = exchange;
  const localPort = nextTarget(targets, targetGroupsOf(action)[0]);
  if (localPort === undefined) {
    errorPage(exchange, 503, 'Service Temporarily Unavailable');
    return;
  }
  const outgoing = http.request({
    host: '127.0.0.1',
    port: localPort,
    method: request.method,
    path: request.url,
    headers: forwardedHeaders(request, listener),
    timeout: 60_000,
  });
  outgoing.on('response', (incoming) => {
    response.writeHead(incoming.statusCode ?? 502, withoutHopByHop(incoming.headers));
    incoming.pipe(response);
    incoming.on('error', () => response.destroy());
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('the target did not answer within 60 s')));
  outgoing.on('error', () => {
    if (response.headersSent) response.destroy();
    else errorPage(exchange, 502, 'Bad Gateway');
  });
  response.on('close', () => outgoing.destroy());
  request.pipe(outgoing);
}

/** Round robin over a group's healthy targets. */
function nextTarget(targets: TargetHealth, targetGroupArn: string | undefined): number | undefined {
  if (targetGroupArn === undefined) return undefined;
  const healthy = targets.healthy(targetGroupArn);
  const mine = turns.get(targets) ?? new Map<string, number>();
  turns.set(targets, mine);
  const turn = mine.get(targetGroupArn) ?? 0;
  mine.set(targetGroupArn, turn + 1);
  return healthy[turn % Math.max(healthy.length, 1)]?.localPort;
}

function forwardedHeaders(request: http.IncomingMessage, listener: Listener): http.OutgoingHttpHeaders {
  const client = request.socket.remoteAddress ?? '';
  const before = request.headers['x-forwarded-for'];
  return {
    ...withoutHopByHop(request.headers),
    'x-forwarded-for': before ? `${[before].flat().join(', ')}, ${client}` : client,
    'x-forwarded-proto': listener.protocol.toLowerCase(),
    'x-forwarded-port': String(listener.port),
  };
}

function withoutHopByHop(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

function errorPage({ request, response }: RoutedExchange, status: number, title: string): void {
  request.resume();
  response.writeHead(status, { server: 'awselb/2.0', 'content-type': 'text/html' });
  response.end(
    `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
  );
}
