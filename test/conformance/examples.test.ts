import { notes } from '../../examples/notes/product.ts';
import { sqsQueue } from '../../examples/notes/sqs-queue.ts';
import { describeKind, sampleOf } from '../../testing/index.ts';
import { faultSample, recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

describeKind(sqsQueue, {
  samples: [
    {
      ...sampleOf(notes, 'create_queue'),
      revised: (step) => ({ ...step, spec: { ...step.spec, visibilitySeconds: 77 } }),
    },
  ],
  parts: sharedParts,
  onFaults: recordFaults,
  faultSample,
});
