import { expect } from 'vitest';

/** Vitest's asymmetric matchers, typed: `expect.any` gives an `any`. */
export const anyString: unknown = expect.any(String);
export const containing = (text: string): unknown => expect.stringContaining(text);
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
