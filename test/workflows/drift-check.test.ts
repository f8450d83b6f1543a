import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DRIFT_WORKFLOW, type DriftActivities } from '../../src/contracts/drift.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { startEnvironment, type WorkflowEnvironment } from './environment.ts';

let env: WorkflowEnvironment;
beforeAll(async () => {
  env = await startEnvironment();
});
afterAll(() => env.stop());

it('a cell whose look fails does not end the looks at the others, and the check fails', async () => {
  const looked: string[] = [];
  const activities: DriftActivities = {
    listDriftCells: () => Promise.resolve(['one', 'two', 'three']),
    lookAtTenants: ({ cell }) => {
      looked.push(cell);
      if (cell === 'two') throw ApplicationFailure.nonRetryable('no database', 'INTERNAL');
      return Promise.resolve({ looked: 1, drifting: 0, unknown: 0 });
    },
  };
  const { client, nativeConnection: connection } = env.server;
  const taskQueue = 'drift-check';
  const workflowBundle = { codePath: await workflowBundlePath() };
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities });
  const handle = await client.workflow.start(DRIFT_WORKFLOW, { taskQueue, workflowId: taskQueue });
  const ended = worker.runUntil(() => handle.result());
  await expect(ended).rejects.toMatchObject({ cause: { cause: { message: 'no database' } } });
  expect(looked).toEqual(['one', 'two', 'three']);
});
