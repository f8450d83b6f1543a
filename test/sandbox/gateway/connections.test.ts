import http from 'node:http';
import { expect, it } from 'vitest';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

it('a connection to the gateway may be idle for as long as one to the emulator, longer than callers keep it', async () => {
  const agent = new http.Agent({ keepAlive: true });
  try {
    const { headers } = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get(shared.gateway.url, { agent }, (response) => resolve(response.resume())).on('error', reject);
    });
    expect(headers['keep-alive']).toBe('timeout=75');
  } finally {
    agent.destroy();
  }
});
