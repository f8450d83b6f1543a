import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { differenceClasses } from '../../contracts/drift.ts';
import { healthStatuses } from '../../contracts/health.ts';
import { openOperationStates } from '../../contracts/operation-state.ts';
import { tenantStatuses } from '../../contracts/tenant-status.ts';
import { metricHead } from '../../prometheus-text.ts';
import type { RequestCounter } from '../request-counter.ts';
import { callerOf } from '../caller.ts';
import { answers } from '../schemas/answers.ts';
import { noQuery } from '../schemas/parameters.ts';

/** Figures for Prometheus (text format 0.0.4). */
export const metricsRoutes: FastifyPluginCallbackZod<{ client: TenantryClient; requests: RequestCounter }> = (
  app,
  { client, requests },
  done,
) => {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        summary: 'Figures for Prometheus',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({
          200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } },
        }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const [counts, health, drift, isolations, projections, webhooks] = await Promise.all([
        client.counts(caller),
        client.health(caller),
        client.driftFigures(caller),
        client.isolationFigures(caller),
        client.projectionLag(caller),
        client.webhookFigures(caller),
      ]);
      const lines = [
        ...metricHead('tenantry_tenants', 'gauge', 'Tenants by status.'),
        ...tenantStatuses.map((status) => `tenantry_tenants{status="${status}"} ${counts.tenants[status] ?? 0}`),
        ...metricHead('tenantry_open_operations', 'gauge', 'Open operations by state.'),
        ...openOperationStates.map(
          (state) => `tenantry_open_operations{state="${state}"} ${counts.openOperations[state] ?? 0}`,
        ),
        ...metricHead('tenantry_tenant_health', 'gauge', 'Active tenants by health, as seen from outside.'),
        ...healthStatuses.map((status) => `tenantry_tenant_health{status="${status}"} ${health.tenants[status] ?? 0}`),
        ...metricHead(
          'tenantry_health_oldest_look_seconds',
          'gauge',
          'How long ago the active tenant was looked at that waits longest, by cell.',
        ),
        ...health.oldestLooks.map(
          ({ cell, ageMs }) => `tenantry_health_oldest_look_seconds{cell="${cell}"} ${(ageMs / 1000).toFixed(3)}`,
        ),
        ...driftLines(drift),
        ...isolationLines(isolations),
        ...metricHead(
          'tenantry_projection_lag_seconds',
          'gauge',
          'Age of the oldest event that is not projected yet, by cell.',
        ),
        ...projections.map((p) => `tenantry_projection_lag_seconds{cell="${p.cell}"} ${(p.lagMs / 1000).toFixed(3)}`),
        ...metricHead(
          'tenantry_projection_pending_tenants',
          'gauge',
          'Tenants with events that are not projected yet, by cell.',
        ),
        ...projections.map((p) => `tenantry_projection_pending_tenants{cell="${p.cell}"} ${p.pending}`),
        ...webhookLines(webhooks),
        ...metricHead('tenantry_http_requests_total', 'counter', 'Answered HTTP requests.'),
        ...requests.totals().map((r) => `tenantry_http_requests_total{${r.labels}} ${r.count}`),
        ...metricHead('tenantry_http_request_duration_seconds', 'summary', 'How long answers took.'),
        ...requests.totals().flatMap((r) => durations(r.labels, r.seconds, r.count)),
        ...metricHead('process_resident_memory_bytes', 'gauge', 'Resident memory of this process.'),
        `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
        ...metricHead('process_start_time_seconds', 'gauge', 'Start of this process, in seconds since 1970.'),
        `process_start_time_seconds ${(Date.now() / 1000 - process.uptime()).toFixed(3)}`,
      ];
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(`${lines.join('\n')}\n`);
    },
  );
  done();
};

type DriftFigures = Awaited<ReturnType<TenantryClient['driftFigures']>>;

function driftLines({ findings, tenants, stoppedCells }: DriftFigures): string[] {
  return [
    ...metricHead('tenantry_drift_findings', 'gauge', 'Differences from what was applied, as last seen, by class.'),
    ...differenceClasses.map((is) => `tenantry_drift_findings{is="${is}"} ${findings[is] ?? 0}`),
    ...metricHead('tenantry_drift_tenants', 'gauge', 'Tenants by what their last look at drift came to.'),
    ...(['none', 'drift', 'unknown'] as const).map((o) => `tenantry_drift_tenants{outcome="${o}"} ${tenants[o] ?? 0}`),
    ...metricHead('tenantry_drift_repair_stopped', 'gauge', 'Cells in which automatic repair of drift is stopped.'),
    ...stoppedCells.map((cell) => `tenantry_drift_repair_stopped{cell="${cell}"} 1`),
  ];
}

type IsolationFigures = Awaited<ReturnType<TenantryClient['isolationFigures']>>;

function isolationLines({ isolated, pending, overdue }: IsolationFigures): string[] {
  return [
    ...metricHead('tenantry_isolated_tenants', 'gauge', 'Tenants in whose place a notice answers.'),
    `tenantry_isolated_tenants ${isolated}`,
    ...metricHead('tenantry_isolations_pending', 'gauge', 'Tenants whose isolation, or its end, is not in effect yet.'),
    `tenantry_isolations_pending ${pending}`,
    ...metricHead('tenantry_isolations_overdue', 'gauge', 'Those of them that wait for more than a minute.'),
    `tenantry_isolations_overdue ${overdue}`,
  ];
}

type WebhookFigures = Awaited<ReturnType<TenantryClient['webhookFigures']>>;

function webhookLines({ webhooks, disabled, pending, dead, oldestPendingMs }: WebhookFigures): string[] {
  return [
    ...metricHead('tenantry_webhooks', 'gauge', 'Webhooks, by whether they are enabled.'),
    `tenantry_webhooks{enabled="true"} ${webhooks - disabled}`,
    `tenantry_webhooks{enabled="false"} ${disabled}`,
    ...metricHead('tenantry_webhook_deliveries_pending', 'gauge', 'Events that wait to be delivered.'),
    `tenantry_webhook_deliveries_pending ${pending}`,
    ...metricHead(
      'tenantry_webhook_oldest_pending_seconds',
      'gauge',
      'Age of the oldest of them, of enabled webhooks.',
    ),
    `tenantry_webhook_oldest_pending_seconds ${(oldestPendingMs / 1000).toFixed(3)}`,
    ...metricHead('tenantry_webhook_dead_letters', 'gauge', 'Events that were given up, and are kept for a replay.'),
    `tenantry_webhook_dead_letters ${dead}`,
  ];
}

function durations(labels: string, seconds: number, count: number): string[] {
  const name = 'tenantry_http_request_duration_seconds';
  return [`${name}_sum{${labels}} ${seconds.toFixed(6)}`, `${name}_count{${labels}} ${count}`];
}
