import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { freePort } from '../../../sandbox/parts/ports.ts';
import { temporalExecutable } from '../../../sandbox/parts/temporal-executable.ts';
import { startTemporalServer } from '../../../sandbox/parts/temporal-server.ts';

const log = () => undefined;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tenantry-temporal-ports-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

it("Temporal's server starts with another port for its UI when somebody took the first one in between", async () => {
  const real = await temporalExecutable(log);
  const tried = join(directory, 'tried');
  // The first port that is chosen is taken whenever the server comes to it.
  const script = `#!/bin/sh
PATH="${process.env['PATH']}"
case "$*" in *--ui-port*) ;; *) exec ${real} "$@" ;; esac
port=$(echo "$*" | sed 's/.*--ui-port \\([0-9]*\\).*/\\1/')
echo "$port" >>${tried}
if [ "$port" = "$(head -1 ${tried})" ]; then
  echo "can't set UI port $port: listen tcp 127.0.0.1:$port: bind: address already in use" >&2
  exit 1
fi
exec ${real} "$@"
`;
  writeFileSync(join(directory, 'temporal'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${directory}:${process.env['PATH']}`);
  const server = await startTemporalServer({ log });
  try {
    const ports = readFileSync(tried, 'utf8').trim().split('\n');
    expect(server.uiUrl).toBe(`http://127.0.0.1:${ports.at(-1)}`);
    expect((await fetch(server.uiUrl!)).status).toBe(200);
  } finally {
    await server.stop();
  }
});

it("a server whose port is another one's is not taken for started, though the other answers there", async () => {
  const first = await startTemporalServer({ log, port: await freePort(), uiPort: false });
  try {
    const second = startTemporalServer({ log, port: Number(first.address.split(':')[1]), uiPort: false });
    await expect(second).rejects.toThrow(/ended at its start.*address already in use/s);
  } finally {
    await first.stop();
  }
});
