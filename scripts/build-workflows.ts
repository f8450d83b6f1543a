/** `tsx scripts/build-workflows.ts`: the workflow bundle of these sources, ahead of the first worker (into `dist/`), and its path. */
import { workflowBundlePath } from '../src/worker/workflow-bundle.ts';

console.log(await workflowBundlePath());
