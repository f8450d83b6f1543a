import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ApiClient } from '../cli/api-client.ts';
import { runbookPage } from '../contracts/advice.ts';
import { textFigures, type CanaryFigures } from './figures.ts';
import { startCanaryPort } from './port.ts';
import type { CanaryReport } from './report.ts';
import { runCanary } from './run.ts';
import type { CanarySettings } from './settings.ts';

export interface CanaryService {
  readonly api: ApiClient;
  readonly settings: CanarySettings;
  /** From the beginning of a run to that of the next, in ms; undefined: one run. */
  readonly everyMs: number | undefined;
  /** Of `/healthz` and `/metrics`; undefined: none. */
  readonly port: number | undefined;
  readonly log: Logger;
  readonly stop: AbortSignal;
}

/** After a run that took longer than the time between two, in ms. */
const SHORTEST_PAUSE_MS = 1_000;

/** Runs the canary once, or until it is to stop. @returns how the last run ended */
export async function serveCanary(service: CanaryService): Promise<CanaryReport> {
  const { api, everyMs, port, settings, stop, log } = service;
  const figures = textFigures();
  const server = port === undefined ? undefined : await startCanaryPort(port, figures.text);
  const ended = new Set<string>();
  try {
    for (;;) {
      const began = performance.now();
      const report = await runCanary({ api, settings, ended, stop, log });
      tell(log, figures, settings.product, report);
      if (everyMs === undefined || stop.aborted) return report;
      const pauseMs = Math.max(SHORTEST_PAUSE_MS, everyMs - (performance.now() - began));
      if (!(await waited(pauseMs, stop))) return report;
    }
  } finally {
    server?.closeAllConnections();
    server?.close();
  }
}

/** @returns whether the whole time passed: it is not to stop */
function waited(ms: number, stop: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal: stop }).catch(() => false);
}

/** A failure is an alert, each time: the line says in which phase, and what is left. */
function tell(log: Logger, figures: CanaryFigures, product: string, report: CanaryReport): void {
  figures.ended(product, report);
  const { outcome, reason } = report;
  const said = { product, ...report };
  if (outcome === 'failed')
    log.error(
      { alert: 'canary-failed', ...said, runbook: runbookPage('canary-failed') },
      `the canary failed: ${reason ?? ''}`,
    );
  else if (outcome === 'skipped') log.warn(said, `the canary was skipped: ${reason ?? ''}`);
  else log.info(said, 'the canary was made, looked at and removed');
}
