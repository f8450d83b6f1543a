import { expect, it } from 'vitest';
import { moduleGraph } from '../../support/module-graph.ts';

it('a sandbox that asks nobody loads no identity provider, whose library warns of the runtime', () => {
  const provider = (which: 'atLoad' | 'ever') =>
    moduleGraph('sandbox/run.ts', which).packages.includes('oidc-provider');
  expect(provider('atLoad')).toBe(false);
  expect(provider('ever')).toBe(true);
});
