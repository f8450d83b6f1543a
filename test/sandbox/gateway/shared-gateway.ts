import { afterAll, beforeAll } from 'vitest';
import { startGateway, type Gateway } from '../../../sandbox/gateway/gateway.ts';
import { part } from '../../support/parts.ts';

/** A gateway for a test file, before the MiniStack that all files share; tests take an account each. */
export function useGateway(): { readonly gateway: Gateway; readonly upstreamUrl: string } {
  let started: { readonly gateway: Gateway; readonly upstreamUrl: string } | undefined;
  beforeAll(async () => {
    const { url: upstreamUrl } = await part('ministack');
    started = { gateway: await startGateway({ upstreamUrl }), upstreamUrl };
  });
  afterAll(async () => {
    await started?.gateway.close();
  });
  const get = () => {
    if (!started) throw new Error('the gateway is not up yet');
    return started;
  };
  return {
    get gateway() {
      return get().gateway;
    },
    get upstreamUrl() {
      return get().upstreamUrl;
    },
  };
}
