import { expect, it, vi } from 'vitest';

const loaded = vi.hoisted(() => ({ provider: false }));
vi.mock('oidc-provider', () => {
  loaded.provider = true;
  return { default: vi.fn(), interactionPolicy: {} };
});

it('a sandbox that asks nobody loads no identity provider, whose library warns of the runtime', async () => {
  await import('../../../sandbox/stack/callers.ts');
  expect(loaded.provider).toBe(false);
  await import('../../../sandbox/issuer/issuer.ts');
  expect(loaded.provider).toBe(true);
});
