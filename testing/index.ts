/**
 * Proves what a kind promises: `import { describeKind } from 'tenantry/testing'` in a vitest file (docs/adding-a-kind.md, "Prove it").
 */
export { describeKind, type ConformanceOptions } from './describe-kind.ts';
export type { ConformanceParts } from './parts.ts';
export { sampleOf, type Sample } from './sample.ts';
