import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Caller } from '../../src/contracts/caller.ts';
import type { SweepSource } from '../../src/cli/sweep.ts';

/** As with `docker run --user 1234`: the user id has no entry in the password file. */
beforeEach(() => {
  vi.spyOn(os, 'userInfo').mockImplementation(() => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)');
  });
  syncBuiltinESMExports();
  // Loaded anew, because loading is what such a user id once broke.
  vi.resetModules();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  vi.resetModules();
  process.exitCode = undefined;
});

it('leaves every command of the program usable for a user id without a name', async () => {
  const { buildProgram, serviceRegistrars } = await import('../../src/cli/program.ts');
  const program = buildProgram({ registrars: await serviceRegistrars() });
  expect(program.commands.map((command) => command.name())).toEqual(
    expect.arrayContaining(['worker', 'api', 'migrate', 'doctor', 'sweep', 'adopt-namespace']),
  );
});

it('writes the number of the user down where there is no name', async () => {
  const asked: unknown[] = [];
  const adoptLedger = (caller: Caller, request: object) => {
    asked.push({ ...request, principal: caller.principal, role: caller.role });
    return Promise.resolve({ state: 'intact', detail: 'marked' } as const);
  };
  const sweep = { adoptLedger, cells: () => ['default'] } as unknown as Awaited<ReturnType<SweepSource>>['sweep'];
  const source: SweepSource = () => Promise.resolve({ sweep, close: () => Promise.resolve() });
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const { buildProgram } = await import('../../src/cli/program.ts');
  const { registerSweep } = await import('../../src/cli/sweep.ts');
  const program = buildProgram({ registrars: [(p) => registerSweep(p, source)] });
  await program.parseAsync(['sweep', 'adopt-ledger', '--reason', 'a test'], { from: 'user' });
  const user = `uid ${process.getuid?.()}`;
  const asker = { principal: user, role: 'platform-admin' };
  expect(asked).toEqual([{ cell: 'default', by: user, reason: 'a test', ...asker }]);
});
