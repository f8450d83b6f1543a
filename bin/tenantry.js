#!/usr/bin/env node
// Runs the CLI from its TypeScript source (docs/adr/0003-run-from-source.md). The sandbox and what tries products
// join here, because product code does not know them; an installation without them works all the same.
import { existsSync } from 'node:fs';
import { register } from 'tsx/esm/api';

// The SDK's warning of old versions of Node takes nine lines; ours takes one (src/cli/node-version.ts).
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
register();
const { main } = await import('../src/cli/main.ts');
const more = { 'sandbox/cli.ts': 'registerSandbox', 'testing/cli.ts': 'registerTesting' };
await main(process.argv.slice(2), async () => {
  const there = Object.entries(more).filter(([file]) => existsSync(new URL(`../${file}`, import.meta.url)));
  return Promise.all(there.map(async ([file, register]) => (await import(`../${file}`))[register]));
});
