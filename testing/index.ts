/**
 * Proves what a kind promises: `import { describeKind } from 'tenantry/testing'` in a vitest file (docs/adding-a-kind.md, "Prove it").
 */
export { describeKind, describeKinds, type ConformanceOptions, type KindSamples } from './describe-kind.ts';
export { defineTesting, type Testing } from './define-testing.ts';
export type { FaultSample } from './bench.ts';
export type { FaultedLife } from './faults/life.ts';
export type { ListedThing, OraclePlace, OwnLister, OwnListers } from './own-listers.ts';
export type { ConformanceParts } from './parts.ts';
export type { DemandedBeside } from './permissions.ts';
export { sampleOf, type HandChange, type HandPlace, type Sample } from './sample.ts';
export { describeProduct, type ProductTrial } from './sagas/describe-product.ts';
