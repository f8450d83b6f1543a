#!/usr/bin/env node
// Runs the CLI from its TypeScript source (docs/adr/0003-run-from-source.md).
import { register } from 'tsx/esm/api';

register();
await import('../src/cli/main.ts');
