import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/**
 * Imports take more CPU than most files' tests, so files that run one after the other in a worker share them. What a file
 * changes in a module or globally (spies, environment, timers) it has to put back.
 */
const sharedImports = { isolate: false };

/** One project per kind of test, by folder; `npx vitest run --project unit` runs one alone. */
export default defineConfig({
  test: {
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 300_000,
    // What is waited for comes within milliseconds, or within seconds on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    // Most tests wait most of the time, for servers and for time to pass: two for each of the two cores that CI has.
    maxWorkers: 4,
    // The SDK's nine lines on old versions of Node, once per test file, hide what matters.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    projects: [
      // Pure: no server.
      project('unit', ['unit', 'contracts', 'products'], sharedImports),
      // Time-skipping Temporal server, fakes that keep state.
      // It stands still at times, on a busy machine: then the test is run again, on another one (test/workflows/environment.ts).
      project('workflows', ['workflows'], { retry: { count: 2, condition: /^Test timed out/ } }),
      // PostgreSQL, MiniStack, and Temporal where a test asks for it.
      project(
        'integration',
        [
          'db',
          'aws',
          'activities',
          'api',
          'cli',
          'client',
          'doctor',
          'sandbox',
          'sweep',
          'temporal',
          'worker',
          'projection',
          'health',
          'webhooks',
          'archives',
          'accounts-router',
        ],
        // Tests of the command line start many processes, seconds each on a busy machine.
        { ...sharedImports, testTimeout: 180_000 },
      ),
      // What each kind promises, with every fault at every call: PostgreSQL, and MiniStack behind the gateway.
      project('conformance', ['conformance'], { ...sharedImports, testTimeout: 240_000 }),
      // The four saga properties: PostgreSQL, MiniStack behind the gateway, Temporal's development server.
      // A machine so busy that a call times out makes an undo wait out the lateness window (40 s).
      project('sagas', ['sagas'], { testTimeout: 300_000 }),
      // The API against its own description: PostgreSQL, and requests that Schemathesis makes up (`npm run test:schema`).
      project('schema', ['schema']),
      // The whole system, processes of its own included: each file one, on ports of its own.
      project('e2e', ['e2e'], { maxWorkers: 3, testTimeout: 300_000 }),
      // Every fault at every statement, processes killed, servers away, seeded random runs (`npm run test:chaos`).
      project('chaos', ['chaos'], {
        // Files that mostly wait may run side by side (scripts/chaos.mjs knows which).
        fileParallelism: process.env['CHAOS_SIDE_BY_SIDE'] === '1',
        testTimeout: 900_000,
        hookTimeout: 300_000,
      }),
    ],
  },
});

type Options = NonNullable<TestProjectInlineConfiguration['test']>;

function project(name: string, folders: string[], options: Options = {}): TestProjectInlineConfiguration {
  return { extends: true, test: { name, include: folders.map((folder) => `test/${folder}/**/*.test.ts`), ...options } };
}
