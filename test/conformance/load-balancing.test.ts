import { ecsService } from '../../src/kinds/ecs-service/kind.ts';
import { listenerRule } from '../../src/kinds/listener-rule/kind.ts';
import { targetGroup } from '../../src/kinds/target-group/kind.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { describeKinds, sampleOf } from '../../testing/index.ts';
import { recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

describeKinds(
  [
    { kind: targetGroup, samples: [sampleOf(moamalat, 'create_target_group:backend')] },
    { kind: listenerRule, samples: [sampleOf(moamalat, 'create_alb_rule:backend')] },
    { kind: ecsService, samples: [sampleOf(moamalat, 'deploy_backend')] },
  ],
  { parts: sharedParts, onFaults: recordFaults },
);
