/** Who asks, where a test does not say. */
export { caller as testCaller } from '../../testing/caller.ts';
