import { dnsRecord } from '../../src/kinds/dns-record/kind.ts';
import { logGroup } from '../../src/kinds/log-group/kind.ts';
import { postgresSchema } from '../../src/kinds/postgres-schema/kind.ts';
import { slugReservation } from '../../src/kinds/slug-reservation/kind.ts';
import { taskDefinition } from '../../src/kinds/task-definition/kind.ts';
import { tenantActivation } from '../../src/kinds/tenant-activation/kind.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { describeKinds, sampleOf, type Sample } from '../../testing/index.ts';
import { faultSample, recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

/** A commit waits for everything: here for the slug alone. */
const activation: Sample = {
  name: 'finalize',
  product: moamalat,
  steps: (request) => {
    const { steps } = moamalat.resolve(request);
    return steps
      .filter(({ id }) => id === 'validate' || id === 'finalize')
      .map((step) => ({ ...step, needs: step.id === 'finalize' ? ['validate'] : [] }));
  },
};

describeKinds(
  [
    { kind: slugReservation, samples: [sampleOf(moamalat, 'validate')] },
    {
      kind: logGroup,
      samples: [
        {
          ...sampleOf(moamalat, 'create_log_group:backend'),
          revised: (step) => ({ ...step, spec: { ...step.spec, retentionDays: 7 } }),
        },
      ],
    },
    { kind: dnsRecord, samples: [sampleOf(moamalat, 'create_dns')] },
    {
      kind: postgresSchema,
      samples: [
        {
          ...sampleOf(moamalat, 'create_schema'),
          revised: (step) => ({ ...step, spec: { ...step.spec, connectionLimit: 7 } }),
        },
      ],
    },
    {
      kind: taskDefinition,
      samples: [
        {
          ...sampleOf(moamalat, 'create_task_definition:backend'),
          freeFields: ['environment'],
          mayMakeTwice: ['ecs:RegisterTaskDefinition'],
        },
      ],
    },
    { kind: tenantActivation, samples: [activation] },
  ],
  { parts: sharedParts, onFaults: recordFaults, faultSample },
);
