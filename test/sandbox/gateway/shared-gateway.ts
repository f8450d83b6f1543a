import { afterAll, beforeAll } from 'vitest';
import { startGateway, type Gateway, type GatewayOptions } from '../../../sandbox/gateway/gateway.ts';
import { startMinistack, type Ministack } from '../../../sandbox/parts/ministack.ts';

/** One MiniStack and one gateway for a test file; tests take an account each. */
export function useGateway(options: Partial<GatewayOptions> = {}): {
  readonly gateway: Gateway;
  readonly upstreamUrl: string;
} {
  let ministack: Ministack | undefined;
  let gateway: Gateway | undefined;
  beforeAll(async () => {
    ministack = await startMinistack({ log: () => undefined });
    gateway = await startGateway({ upstreamUrl: ministack.url, ...options });
  });
  afterAll(async () => {
    await gateway?.close();
    await ministack?.stop();
  });
  return {
    get gateway() {
      if (!gateway) throw new Error('the gateway is not up yet');
      return gateway;
    },
    get upstreamUrl() {
      if (!ministack) throw new Error('MiniStack is not up yet');
      return ministack.url;
    },
  };
}
