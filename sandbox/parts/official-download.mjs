// Has the Temporal SDK download one of its servers into a directory, and lets it run once to see that it does.
// A process of its own, because the SDK's native runtime can be set up only once in a process, and that is the caller's.
// Usage: node official-download.mjs dev-server|time-skipping <version> <directory>
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [kind, version, downloadDir] = process.argv.slice(2);
const server = { executable: { type: 'cached-download', version, downloadDir } };
const environment =
  kind === 'dev-server'
    ? await TestWorkflowEnvironment.createLocal({ server })
    : await TestWorkflowEnvironment.createTimeSkipping({ server });
await environment.teardown();
