#!/usr/bin/env node
// `node bin/healthcheck.js api|worker [PATH]`: asks a process of this container (PATH: /healthz by default, or /readyz), where its own variables say that
// it listens. Exit code 0 when it answers 200, else 1 and why. Plain JavaScript, and nothing imported: it runs every few seconds.
const ports = {
  api: process.env.TENANTRY_API_PORT || '3006',
  worker: process.env.TENANTRY_WORKER_HEALTH_PORT,
};
const [name = '', path = '/healthz'] = process.argv.slice(2);
const port = ports[name];

try {
  if (!Object.hasOwn(ports, name) || !path.startsWith('/'))
    throw new Error('usage: healthcheck.js api|worker [/healthz|/readyz]');
  if (!port) throw new Error('TENANTRY_WORKER_HEALTH_PORT is not set: the worker answers nobody');
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(4_000) });
  console.log(`${answer.status} ${await answer.text()}`);
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error));
  process.exitCode = 1;
}
