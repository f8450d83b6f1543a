#!/usr/bin/env node
// Runs the CLI from its TypeScript source (docs/adr/0003-run-from-source.md). The sandbox joins here, because
// product code does not know it; an installation without it works all the same.
import { existsSync } from 'node:fs';
import { register } from 'tsx/esm/api';

// The SDK's warning of old versions of Node takes nine lines; ours takes one (src/cli/node-version.ts).
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
register();
const { main } = await import('../src/cli/main.ts');
const sandbox = new URL('../sandbox/cli.ts', import.meta.url);
await main(process.argv.slice(2), async () =>
  existsSync(sandbox) ? [(await import(sandbox.href)).registerSandbox] : [],
);
