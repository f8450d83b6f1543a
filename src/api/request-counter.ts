import type { FastifyInstance } from 'fastify';

/** Counts answers by method, route and status: a bounded set of series, since unknown paths share one. */
export interface RequestCounter {
  totals(): readonly { readonly labels: string; readonly count: number; readonly seconds: number }[];
}

export function countRequests(app: FastifyInstance): RequestCounter {
  const series = new Map<string, { count: number; seconds: number }>();
  app.addHook('onResponse', (request, reply, next) => {
    const route = request.routeOptions.url ?? '(none)';
    const labels = `method="${request.method}",route="${route}",status="${reply.statusCode}"`;
    const total = series.get(labels) ?? { count: 0, seconds: 0 };
    total.count += 1;
    total.seconds += reply.elapsedTime / 1000;
    series.set(labels, total);
    next();
  });
  return { totals: () => [...series].map(([labels, total]) => ({ labels, ...total })) };
}
