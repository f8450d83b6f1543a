import { assertNeededPackages } from './needed-packages.ts';

/**
 * Proves what a kind promises: `import { describeKind } from 'tenantry/testing'` in a vitest file (docs/adding-a-kind.md, "Prove it").
 */
export type { ConformanceOptions, KindSamples, PreparedPlace } from './describe-kind.ts';
export { defineTesting, type Testing } from './define-testing.ts';
export type { FaultSample } from './bench.ts';
export type { FaultedLife } from './faults/life.ts';
export type { ListedThing, OraclePlace, OwnLister, OwnListers } from './own-listers.ts';
export type { ConformanceParts } from './parts.ts';
export type { DemandedBeside } from './permissions.ts';
export { sampleOf, type HandChange, type HandPlace, type Sample } from './sample.ts';
export type { ProductTrial } from './sagas/describe-product.ts';

assertNeededPackages();
// Loaded only now: what they import themselves would fail with the name of one file and one package.
export const { describeKind, describeKinds } = await import('./describe-kind.ts');
export const { describeProduct } = await import('./sagas/describe-product.ts');
