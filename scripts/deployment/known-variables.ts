import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** Files that say which variables API and workers read; `sign-in-config.ts` is the command line's. */
function settingsFiles(): string[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /^([a-z-]*config|telemetry\/settings)\.ts$/.test(file) && file !== 'sign-in-config.ts');
}

/** Names that stand in a text as keys, as strings, or as what is taken out of an environment. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w$])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?=['\]:,;.) ?}])/g)].map(([, name = '']) => name);
}

const temporal = dirname(createRequire(import.meta.url).resolve('@temporalio/envconfig'));
const read = [
  ...settingsFiles().map((file) => join(src, file)),
  ...readdirSync(temporal).map((f) => join(temporal, f)),
];
const names = new Set(
  read.filter((file) => /\.[jt]s$/.test(file)).flatMap((file) => namesIn(readFileSync(file, 'utf8'))),
);

/** Those of Node and of AWS's SDK, which read them by themselves. */
const ofOthers =
  /^(NODE_EXTRA_CA_CERTS|NODE_OPTIONS|AWS_(REGION|ENDPOINT_URL|ACCESS_KEY_ID|SECRET_ACCESS_KEY|STS_REGIONAL_ENDPOINTS))$/;

/** Whether a process of Tenantry, or a library in it, reads a variable of this name. */
export function isRead(name: string): boolean {
  return names.has(name) || ofOthers.test(name) || /^TENANT_DATABASE_URL_[A-Z0-9_]+$/.test(name);
}
