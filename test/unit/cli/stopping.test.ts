import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const script = (file: string) => `
  import { runServer } from ${JSON.stringify(new URL(file, import.meta.url).href)};
  const serve = async (config, log) => {
    setInterval(() => undefined, 1_000);
    log.info('serving');
    await new Promise(() => undefined);
  };
  await runServer(() => ({ logLevel: 'info' }), serve, { stopMs: 200 });
`;

it('a server that does not come to an end after the signal to stop is ended, says so, and exits 1', async () => {
  const server = spawn(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script('../../../src/cli/process.ts'),
  ]);
  const log = text(server.stderr.on('data', (line) => String(line).includes('serving') && server.kill('SIGTERM')));
  expect(await once(server, 'exit')).toEqual([1, null]);
  expect(await log).toContain('did not stop in time');
});
